import { changeAccount, deleteAccount, describeError, readAccount } from "../../api.js";
import { h } from "../../dom.js";
import { t } from "../../i18n.js";
import * as session from "../../session.js";
import { fieldForm } from "../form.js";
import { ask } from "../question.js";
import { section } from "../section.js";

/** @typedef {import("../../api.js").Account} Account */
/** @typedef {import("../../app.js").Context} Context */
/** @typedef {import("../form.js").Field} Field */

/** @returns {Field} */
const currentPassword = () => ({
  name: "current_password",
  label: t("currentPassword"),
  type: "password",
  autocomplete: "current-password",
});

/**
 * Name, password, and the end of the account.
 * @param {Context} context @param {AbortSignal} signal
 */
export async function accountSections({ accountChanged, showMessage }, signal) {
  try {
    const account = await readAccount();
    return [
      section("name-settings", t("nameAndEmail"), nameForm(account, accountChanged)),
      section("password-settings", t("password"), passwordForm(account)),
      section("delete-account", t("deleteAccount"), deletionForm(account, signal)),
    ];
  } catch (error) {
    const text = describeError(error);
    if (!signal.aborted) showMessage(text);
    return [];
  }
}

/** @param {Account} account @param {() => void} accountChanged */
function nameForm(account, accountChanged) {
  /** @type {Field[]} */
  const fields = [
    {
      name: "username",
      label: t("username"),
      autocomplete: "username",
      hint: t("usernameHint"),
      value: account.username,
    },
    {
      name: "email",
      label: t("email"),
      type: "email",
      autocomplete: "email",
      value: account.email,
    },
    {
      name: "full_name",
      label: t("fullName"),
      autocomplete: "name",
      required: false,
      value: account.full_name ?? "",
    },
    currentPassword(),
  ];
  return fieldForm("name-form", fields, t("save"), async ({ full_name, ...values }) => {
    const changed = await changeAccount({ ...values, full_name: full_name || null });
    session.rename(changed.username);
    accountChanged();
    return t("saved");
  });
}

/** @param {Account} account */
function passwordForm(account) {
  /** @type {Field[]} */
  const fields = [
    currentPassword(),
    {
      name: "password",
      label: t("newPassword"),
      type: "password",
      autocomplete: "new-password",
      hint: t("passwordHint"),
    },
  ];
  const form = fieldForm("password-form", fields, t("changePassword"), async (values) => {
    await changeAccount(values);
    return t("passwordChanged");
  });
  // A password manager stores the new password under this name.
  const name = { type: "text", name: "name", autocomplete: "username", value: account.username };
  form.prepend(h("input", { ...name, hidden: true }));
  return form;
}

/** @param {Account} account @param {AbortSignal} signal */
function deletionForm({ username }, signal) {
  const submit = async (/** @type {Record<string, string>} */ { current_password }) => {
    const question = {
      title: t("deleteAccountQuestion", { name: username }),
      body: [t("deleteAccountWarning")],
      action: t("deleteAccount"),
    };
    if (!(await ask(question, { signal }))) return;
    await deleteAccount(current_password);
    session.end();
    location.hash = "#/";
  };
  const form = fieldForm("delete-form", [currentPassword()], t("deleteAccount"), submit, {
    isDangerous: true,
  });
  return h("div", {}, h("p", { class: "hint" }, t("deleteAccountWarning")), form);
}
