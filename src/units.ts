/** The units in which times and sizes are given. */
export type Microseconds = number;
export type Milliseconds = number;
export type Seconds = number;
export type Bytes = number;
export type Megabytes = number;
export type Count = number;
