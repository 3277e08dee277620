/** The units in which times and sizes are given. */
export type Microseconds = number;
export type Milliseconds = number;
export type Seconds = number;
/** When something was: milliseconds since 1970, with a fraction where it is known to the microsecond. */
export type EpochMs = number;
export type Bytes = number;
export type Megabytes = number;
export type Count = number;
