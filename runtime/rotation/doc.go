// Package rotation decides when a session gets another token, and how long the old one lives: the state machine behind
// protocols such as DeviseTokenAuth, in which each reply may carry the token for the next request.
//
// It is a pure function of the stored state, what came, and the time. It knows neither tokens nor databases: a session's
// tokens are numbered, and the caller finds out which number a presented token has.
//
// # What it promises
//
//   - A client that keeps the last token it was given is never refused before the session expires, however many replies
//     are lost (requirement R-04, without its limit unless [Policy.Grace] sets one). The superseded token lives until its
//     successor has come back once, and for a window more: requests that were sent with it are still under way.
//   - At most one rotation in a window. The window begins with the rotation and nothing extends it.
//   - Of any number of requests at once, one rotates. The others are answered with the same current token, or as a
//     batch.
//   - No token is accepted after the session's expiry, and the expiry never goes backwards.
//   - At most three tokens of a session are accepted at one time, and only one of them for more than a window once the
//     client has shown that it has it.
//
// A database may forget the last rotations that it was told, and that were answered: a crash took them before they were on
// disk, or a replica took over that was behind. Tokens that were made by then come back ahead of what is stored, and
// bring it up to date, by at most [MaxAhead] rotations, so nobody is logged out by that before the expiry that is stored, and
// nothing needs to wait for a disk at every rotation. What the promises above say of time, and of how many tokens there are,
// holds from then on; what the database has forgotten, nobody knows.
//
// A client that overwrites its token with that of an older reply which arrives late can regress to a token that dies. Two
// of the protocol's four JavaScript clients compare the expiry and do not; for the others the caller leaves the token out of
// replies that took longer than a window.
//
// The test is a model checker: it tries all interleavings of up to four requests at once, with lost replies, steps of the
// clock, the end of the session and a database that forgets, against these promises.
package rotation
