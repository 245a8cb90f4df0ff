/**
 * @param {import("./request.js").Requests["request"]} request
 * @param {string} [device] the name that the saves carry
 */
export function createSender(request: import("./request.js").Requests["request"], device?: string): {
    readEntry: (account: string, video: number | string, signal: AbortSignal) => Promise<{
        entry: Entry | null;
        error?: undefined;
    } | {
        entry?: undefined;
        error: PlayheadError;
    }>;
    send: (account: string, items: QueuedSave[], options: RequestOptions) => Promise<Outcome[]>;
};
export function historyPath(video: number | string): string;
export type Entry = import("../playhead.js").Entry;
export type QueuedSave = import("./queue.js").QueuedSave;
export type Save = import("./queue.js").Save;
export type PlayheadError = import("./request.js").PlayheadError;
export type RequestOptions = import("./request.js").RequestOptions;
/**
 * The answer to a request about one save. The entry is null if the server has stored nothing.
 */
export type Outcome = {
    entry: Entry | null;
    error?: undefined;
} | {
    entry?: undefined;
    error: PlayheadError;
};
