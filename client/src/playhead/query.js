/** Queries of addresses. */

/**
 * The query of an address, from the values that are given.
 * @param {Record<string, string | number | null | undefined>} values
 */
export function queryOf(values) {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === null || value === "" ? [] : [[name, String(value)]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}

/** @param {Date | string | undefined} time @returns {string | undefined} in RFC 3339 */
export const timeOf = (time) => (time instanceof Date ? time.toISOString() : time);
