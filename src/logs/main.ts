/**
 * The log process: keeps invocations and what they have logged in one folder, and does what it is asked to over frames on
 * descriptor 3.
 */
