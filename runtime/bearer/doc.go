// Package bearer reads bearer tokens from requests and answers with challenges, as RFC 6750 and
// RFC 9110 section 11 have it.
//
// [FromHeader] reads the Authorization header and nothing else: a token in a URL or in a form ends up
// in logs and histories (RFC 6750 section 5.3). [Challenge] writes the WWW-Authenticate header of a 401
// or 403 answer (requirement C-07).
package bearer
