/** The texts of the pages, in the first language of the browser that there is. */

const en = {
  skip: "Skip to content",
  search: "Search",
  searchLabel: "Search videos",
  signIn: "Sign in",
  signUp: "Sign up",
  signOut: "Sign out",
  signedInAs: "Signed in as {name}",
  accountNav: "Account",
  library: "Library",
  libraryIntro: "Every video picks up where you stopped.",
  libraryIntroVisitor: "Sign in, and every video picks up where you stopped.",
  continueWatching: "Continue watching",
  allVideos: "All videos",
  videos: "Videos",
  resultsFor: "Results for “{query}”",
  loading: "Loading…",
  loadMore: "Load more",
  left: "{time} left",
  watched: "{percent}% watched",
  noVideos: "No videos yet",
  noVideosVisitor: "Create the first account, and a sample clip appears.",
  createAccount: "Create an account",
  noVideosBefore: "Put video files in the media folder and run ",
  noVideosAfter: ".",
  noResults: "Nothing found",
  noResultsHint: "No title or description matches “{query}”.",
  showAll: "Show all videos",
  toLibrary: "Go to the library",
  signInIntro: "Continue where you stopped, on any device.",
  signUpIntro: "One account remembers your place in every video.",
  nameOrEmail: "User name or e-mail",
  email: "E-mail",
  username: "User name",
  usernameHint: "3 to 100 characters, without @",
  password: "Password",
  passwordHint: "At least 8 characters, and not a common password",
  fullName: "Full name",
  optional: "optional",
  noAccount: "New here?",
  haveAccount: "Already have an account?",
  required: "Please fill this in.",
  by: "by {name}",
  startOver: "Start over",
  forget: "Forget",
  forgetHint: "Delete my watch history of this video",
  resumedAt: "Resumed at {time}",
  savedAt: "Saved at {time}",
  retrying: "Could not save, trying again…",
  offline: "Offline, kept here: {time}",
  superseded: "Newer place kept: {time}",
  saveRefused: "The position could not be saved: {detail}",
  gone: "This video was deleted",
  forgotten: "Your place in this video was forgotten",
  forgetFailed: "Your place could not be forgotten. Please try again.",
  signInToSave: "Sign in to remember where you stopped.",
  sessionEnded: "You have been signed out. Sign in again to continue.",
  noFile: "This video has no file",
  noFileHint: "This server has only its description, so there is nothing to play.",
  videoNotFound: "Video not found",
  videoNotFoundHint: "It was deleted, or the address is wrong.",
  pageNotFound: "Page not found",
  pageNotFoundHint: "There is nothing at this address.",
  mediaError:
    "The video cannot be played: its file is missing or damaged, or this browser does not support it.",
  mediaNetworkError:
    "The connection broke while the video was loading. Reload the page to try again.",
  unreachable: "The server could not be reached. Please try again.",
  failed: "Something went wrong",
  tryAgain: "Try again",
};

/** @type {Record<keyof typeof en, string>} */
const ko = {
  skip: "본문으로 건너뛰기",
  search: "검색",
  searchLabel: "동영상 검색",
  signIn: "로그인",
  signUp: "회원가입",
  signOut: "로그아웃",
  signedInAs: "{name} 님으로 로그인됨",
  accountNav: "계정",
  library: "라이브러리",
  libraryIntro: "모든 동영상을 보던 곳부터 이어서 볼 수 있습니다.",
  libraryIntroVisitor: "로그인하면 모든 동영상을 보던 곳부터 이어서 볼 수 있습니다.",
  continueWatching: "이어서 보기",
  allVideos: "모든 동영상",
  videos: "동영상",
  resultsFor: "‘{query}’ 검색 결과",
  loading: "불러오는 중…",
  loadMore: "더 보기",
  left: "{time} 남음",
  watched: "{percent}% 시청함",
  noVideos: "아직 동영상이 없습니다",
  noVideosVisitor: "첫 번째 계정을 만들면 샘플 동영상이 나타납니다.",
  createAccount: "계정 만들기",
  noVideosBefore: "미디어 폴더에 동영상 파일을 넣고 다음 명령을 실행하세요: ",
  noVideosAfter: "",
  noResults: "검색 결과가 없습니다",
  noResultsHint: "제목이나 설명에 ‘{query}’이(가) 들어간 동영상이 없습니다.",
  showAll: "모든 동영상 보기",
  toLibrary: "라이브러리로 가기",
  signInIntro: "어느 기기에서든 보던 곳부터 이어서 보세요.",
  signUpIntro: "계정 하나로 모든 동영상의 시청 위치를 기억합니다.",
  nameOrEmail: "사용자 이름 또는 이메일",
  email: "이메일",
  username: "사용자 이름",
  usernameHint: "3~100자, @ 제외",
  password: "비밀번호",
  passwordHint: "8자 이상, 흔하지 않은 비밀번호",
  fullName: "이름",
  optional: "선택",
  noAccount: "처음 오셨나요?",
  haveAccount: "이미 계정이 있으신가요?",
  required: "필수 입력 항목입니다.",
  by: "{name}",
  startOver: "처음부터 보기",
  forget: "시청 기록 삭제",
  forgetHint: "이 동영상의 시청 기록을 삭제합니다",
  resumedAt: "{time}부터 이어서 재생합니다",
  savedAt: "{time}까지 저장됨",
  retrying: "저장하지 못했습니다. 다시 시도하는 중…",
  offline: "오프라인, 이 기기에 보관됨: {time}",
  superseded: "더 최근 위치를 유지합니다: {time}",
  saveRefused: "시청 위치를 저장하지 못했습니다: {detail}",
  gone: "삭제된 동영상입니다",
  forgotten: "이 동영상의 시청 기록을 삭제했습니다",
  forgetFailed: "시청 기록을 삭제하지 못했습니다. 다시 시도해 주세요.",
  signInToSave: "로그인하면 시청 위치를 기억합니다.",
  sessionEnded: "로그아웃되었습니다. 계속하려면 다시 로그인해 주세요.",
  noFile: "이 동영상은 파일이 없습니다",
  noFileHint: "이 서버에는 동영상 정보만 있어 재생할 수 없습니다.",
  videoNotFound: "동영상을 찾을 수 없습니다",
  videoNotFoundHint: "삭제되었거나 주소가 잘못되었습니다.",
  pageNotFound: "페이지를 찾을 수 없습니다",
  pageNotFoundHint: "이 주소에는 아무것도 없습니다.",
  mediaError:
    "동영상을 재생할 수 없습니다. 파일이 없거나 손상되었거나, 이 브라우저가 지원하지 않는 형식입니다.",
  mediaNetworkError: "동영상을 불러오는 중 연결이 끊어졌습니다. 페이지를 새로고침해 주세요.",
  unreachable: "서버에 연결할 수 없습니다. 다시 시도해 주세요.",
  failed: "문제가 발생했습니다",
  tryAgain: "다시 시도",
};

export const dictionaries = { en, ko };

/** @typedef {keyof typeof en} Message */

/** @type {keyof typeof dictionaries} */
export const language = pickLanguage();

function pickLanguage() {
  for (const tag of navigator.languages) {
    const [primary] = tag.toLowerCase().split("-");
    if (primary === "ko" || primary === "en") return primary;
  }
  return "en";
}

/**
 * The text of a message.
 * @param {Message} key @param {Record<string, string | number>} [values] for each {name}
 */
export const t = (key, values = {}) =>
  dictionaries[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

/**
 * Refusals of the server in other languages than English, by the code of the problem or by the
 * field that is refused.
 * @type {Partial<Record<typeof language, Record<string, string>>>}
 */
const refusals = {
  ko: {
    wrong_credentials: "이름 또는 비밀번호가 올바르지 않습니다.",
    account_inactive: "비활성화된 계정입니다.",
    too_many_attempts: "로그인에 여러 번 실패했습니다. 잠시 후 다시 시도해 주세요.",
    too_many_requests: "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.",
    taken: "이미 사용 중인 사용자 이름 또는 이메일 주소입니다.",
    registration_closed: "회원가입이 닫혀 있습니다. 관리자에게 계정을 요청하세요.",
    first_account_by_command:
      "이 서버의 첫 계정은 `playhead user create NAME EMAIL --admin` 명령으로 만듭니다.",
    unauthenticated: "먼저 로그인해 주세요.",
    video_not_found: "동영상을 찾을 수 없습니다.",
    file_not_found: "이 동영상은 파일이 없습니다.",
    busy: "서버가 바쁩니다. 잠시 후 다시 시도해 주세요.",
    database_away: "데이터베이스에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요.",
    storage_full: "저장 공간이 부족합니다.",
    internal_error: "서버에서 문제가 발생했습니다.",
    email: "올바른 이메일 주소를 입력해 주세요.",
    username:
      "한 가지 문자 체계로 3~100자를 입력해 주세요. @, 보이지 않는 문자, 앞뒤 공백은 쓸 수 없습니다.",
    password:
      "8~100자의 흔하지 않은 비밀번호를 입력해 주세요. 이름이나 이메일 주소는 쓸 수 없습니다.",
    full_name: "255자까지 입력할 수 있습니다.",
  },
};

/**
 * The refusal in the viewer's language, if there is a translation.
 * @param {string} key a code or a field @param {string} detail the text of the server
 */
export const refusal = (key, detail) => refusals[language]?.[key] ?? detail;
