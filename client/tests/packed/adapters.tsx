/** The adapters, for the compiler. */
import { createPlayhead } from "playhead";
import { usePlayhead } from "playhead/react";
import { createMediaStorage } from "playhead/vidstack";
import type { MediaPlayerElement } from "vidstack/elements";

const playhead = createPlayhead({ getToken: () => null });

export function Film({ id }: { id: number }) {
  const { ref, state } = usePlayhead(playhead, id, { saveEveryMs: 5_000 });
  return <video key={id} ref={ref} title={state?.state ?? ""} />;
}

declare const element: MediaPlayerElement;
element.storage = createMediaStorage(playhead, element, () => 3);
