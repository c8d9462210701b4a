package password

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// What a stored digest may ask for. The caps leave room for every parameter set that OWASP and RFC 9106
// recommend for servers, and take about a second of one core at most.
const (
	maxMemory      = 256 << 10 // KiB
	maxWork        = 1 << 20   // KiB, memory times passes
	maxParallelism = 16
	minSalt        = 8  // bytes, RFC 9106 section 3.1
	minTag         = 16 // bytes: with less, guessing the digest gets cheaper than guessing passwords
	maxField       = 64 // bytes, for both
	maxPHC         = 256
)

const argonID = "$argon2id$v=" // and the version

// phc is an argon2id digest with all that is needed to make it again.
type phc struct {
	Params
	salt, tag []byte
}

// String is the PHC string format, as the reference implementation of argon2 writes it.
func (d phc) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("%s%d$m=%d,t=%d,p=%d$%s$%s", argonID, argon2.Version, d.Memory, d.Time, d.Parallelism,
		enc.EncodeToString(d.salt), enc.EncodeToString(d.tag))
}

// parsePHC accepts what String writes, within the caps, and no second spelling of it.
func parsePHC(s string) (d phc, ok bool) {
	if len(s) > maxPHC {
		return phc{}, false
	}
	rest, ok := strings.CutPrefix(s, argonID+strconv.Itoa(argon2.Version)+"$")
	if !ok {
		return phc{}, false
	}
	fields := strings.Split(rest, "$")
	if len(fields) != 3 {
		return phc{}, false
	}
	params := strings.Split(fields[0], ",")
	if len(params) != 3 {
		return phc{}, false
	}
	var values [3]uint64
	for i, name := range [...]string{"m=", "t=", "p="} {
		text, ok := strings.CutPrefix(params[i], name)
		n, err := strconv.ParseUint(text, 10, 32)
		if !ok || err != nil || strconv.FormatUint(n, 10) != text {
			return phc{}, false
		}
		values[i] = n
	}
	m, t, p := values[0], values[1], values[2]
	if p < 1 || p > maxParallelism || t < 1 || m < 8*p || m > maxMemory || m*t > maxWork {
		return phc{}, false
	}
	d.Params = Params{Memory: uint32(m), Time: uint32(t), Parallelism: uint8(p)}
	if d.salt, ok = decodeField(fields[1], minSalt); !ok {
		return phc{}, false
	}
	if d.tag, ok = decodeField(fields[2], minTag); !ok {
		return phc{}, false
	}
	return d, true
}

func decodeField(s string, least int) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // package base64 skips them
		return nil, false
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	return b, err == nil && len(b) >= least && len(b) <= maxField
}
