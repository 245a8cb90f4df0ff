import { createPlayhead } from "playhead";

const playhead = createPlayhead({ getToken: () => sessionStorage.getItem("token") });
playhead.attach(document.querySelector("video")!, 3);
