// Package gate is the one door: [Try] is the only maker of a [Proof] that somebody was asked for a
// secret and gave the right one, after all who may refuse were asked.
//
// The threat is a second door. In the systems before this one a magic link, a remember-me cookie or a
// password reset opened a session by a path of its own, and that path forgot to ask whether the account
// is locked, or to count the failure (authboss 3.2.1, Kratos CVE-2024-45042). Here, opening a session or
// issuing a token for a person takes a Proof, and a credential that does not go through Try has none to
// hand over: forgetting does not compile.
//
// # Why it is not in the generated code
//
// All plugins of a model share one Go package, and inside a package unexported fields protect nothing:
// any file there could write Proof{ok: true}. From another package that literal does not compile, and
// the zero Proof is not [Proof.Valid]. (Package unsafe can forge anything; it is found by its import.)
// And the order of the calls in Try is what a security patch would change, so `go get` must reach it.
//
// # What the author of a credential plugin must do
//
//   - Decide everything that does not depend on the account first: length caps, malformed input, limits
//     by address.
//   - Look the owner up and call Try once, also when nobody was found (OwnerID ""). Do not return in
//     between: an early answer says by its time that the account does not exist (ASVS 6.3.8).
//   - Set Factor to what the secret is ("password", "totp", "magic_link", ...). Those who count failures
//     count by it, so that a plugin is protected without being known.
//   - Let Verify say nil, ErrMismatch, or any other error when nobody could tell: a database that is down
//     is no wrong password and must not lock anybody out.
//   - Set Decoy where Verify's time can be measured, as with argon2id. It must cost the same.
//   - Answer [ErrMismatch] and [ErrRefused] with the same bytes, and any other error with 503 or 500.
//   - Commit what Failed wrote although the attempt failed. A transaction that is rolled back because the
//     answer is 401 forgets the failure that it should have counted.
//   - Spend the Proof in the request that earned it. It is a value, not a token: do not store it.
package gate
