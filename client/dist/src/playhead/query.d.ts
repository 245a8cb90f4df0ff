/** Queries of addresses. */
/**
 * The query of an address, from the values that are given.
 * @param {Record<string, string | number | null | undefined>} values
 */
export function queryOf(values: Record<string, string | number | null | undefined>): string;
export function timeOf(time: Date | string | undefined): string | undefined;
