// Package cookie writes and reads the cookies that carry credentials, with attributes nobody can forget.
//
// The threats: a script that reads the cookie (HttpOnly), a request in clear text that shows it (Secure),
// a page of another site that makes the browser send it with a POST (SameSite=Lax), and a sibling
// sub-domain or a listener on the wire that plants one of its own, so that the victim works in the
// attacker's session. Against the last one helps the name: a browser accepts a cookie named __Host-... only
// over https, for this very host and for all paths (RFC 6265bis section 4.1.3, ASVS 3.3.1 to 3.3.4,
// requirement S-01). There is no way to weaken any of it but one: for a base URL on the machine itself,
// http://localhost, the name loses its prefix and the cookie Secure, because browsers demand https for
// both.
//
// SameSite=Lax does not replace protection from forged requests; generated handlers have that besides.
//
// A cookie's value is a token of package token and nothing else: letters, digits, '-', '_' and '.'. What it
// means is kept on the server.
package cookie
