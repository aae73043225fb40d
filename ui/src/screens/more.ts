/// What comes as the second script.

export { Hosts } from "./hosts";
export { JoinForm } from "./join";
export { Ledger } from "./ledger";
export { Logs } from "./logs";
export { Runs } from "./runs";
export { TaskForm } from "./task_form";
