export function createHistory({ connection }: Pick<import("../playhead.js").Playhead, "connection">): {
    continueWatching(limit?: number, { maxAgeDays, signal }?: {
        maxAgeDays?: number;
        signal?: AbortSignal;
    }): Promise<ContinueItem[]>;
    history({ state, q, since, until, cursor, limit, signal }?: PageOptions & {
        state?: "all" | "in_progress" | "completed";
        q?: string;
        since?: Time;
        until?: Time;
    }): Promise<Page<HistoryItem>>;
    plays({ since, until, videoId, cursor, limit, signal }?: PageOptions & {
        since?: Time;
        until?: Time;
        videoId?: number | string;
    }): Promise<Page<Play>>;
    playsOf(videoId: number | string, { cursor, limit, signal }?: PageOptions): Promise<Page<Play>>;
    preferences: () => Promise<Preferences>;
    statistics: ({ from, to, tz }?: {
        from?: string;
        to?: string;
        tz?: string;
    }) => Promise<ViewingStatistics>;
    recommendations: (limit?: number) => Promise<Recommendation[]>;
    forgetMany(videoIds: (number | string)[]): Promise<{
        deleted: number;
    }>;
    clearHistory({ before }?: {
        before?: Time;
    }): Promise<{
        deleted: number;
    }>;
    undo: (videoId: number | string, { account }?: EditOptions) => Promise<Entry>;
    hide: (videoId: number | string, { until }?: {
        until?: Time;
    }) => Promise<Entry>;
    show: (videoId: number | string) => Promise<Entry>;
    markWatched: (videoId: number | string, { at }?: {
        at?: Time;
    }) => Promise<Entry>;
    markUnwatched: (videoId: number | string) => Promise<Entry>;
    mark(videoIds: (number | string)[], watched: boolean): Promise<{
        changed: number;
        skipped: number[];
    }>;
    deletePlay(playId: number): Promise<void>;
    resumePlay: (playId: number) => Promise<Entry>;
    setPreferences: (changes: Partial<Preferences>) => Promise<Preferences>;
};
export type History = ReturnType<typeof createHistory>;
