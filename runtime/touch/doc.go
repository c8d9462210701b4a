// Package touch writes "last used" times behind: it gathers the keys that were used during an interval
// and hands them to one write.
//
// Updating last_used_at inside each request would make every read of an API a write to its busiest
// rows. A [Buffer] costs a request one map entry instead, and the database one statement per interval
// (D-07 asks for at most one write a minute). What is lost in a crash is at most one interval of
// "last used" times, which are shown to people and decide nothing. Do not use it for anything that a
// decision rests on, such as the counters of a lockout.
package touch
