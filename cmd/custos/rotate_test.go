package main

import (
	"strings"
	"testing"
)

func TestParseRing(t *testing.T) {
	one, err := newKey(1)
	if err != nil {
		t.Fatal(err)
	}
	two, err := newKey(2)
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseRing(" " + two + " , " + strings.TrimRight(one, "="))
	if err != nil || r.summary() != "2 (current), 1" || r.value() != two+","+strings.TrimRight(one, "=") {
		t.Errorf("%v, %v", r.summary(), err)
	}
	secret := strings.TrimPrefix(one, "1:")
	for _, bad := range []string{"", ",", one + ",", one + "," + one, "0:" + secret, "+1:" + secret, "01:" + secret, "32768:" + secret, secret, "1:" + secret[:20], "1:!" + secret, "1:" + secret[:8] + "\n" + secret[8:]} {
		if r, err := parseRing(bad); err == nil {
			t.Errorf("%q: %s", bad, r.summary())
		} else if strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("the error shows a key: %v", err)
		}
	}
}

// The three steps end with the new key alone; whatever would turn someone away at once is refused.
func TestRotation(t *testing.T) {
	first, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseRing(first)
	if err != nil {
		t.Fatal(err)
	}
	step := func(next func(ring) (ring, error), want string) {
		t.Helper()
		after, err := next(r)
		if err != nil || after.summary() != want {
			t.Fatalf("%s, %v, want %s", after.summary(), err, want)
		}
		if again, err := parseRing(after.value()); err != nil || again.value() != after.value() {
			t.Fatalf("%s does not read back: %v", want, err)
		}
		r = after
	}
	refuse := func(next func(ring) (ring, error), want string) {
		t.Helper()
		before := r.value()
		if after, err := next(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, %v, want %q", after.summary(), err, want)
		}
		if r.value() != before {
			t.Error("a refusal changed the keys")
		}
	}
	retire := func(id int) func(ring) (ring, error) { return func(r ring) (ring, error) { return r.retire(id) } }
	refuse(ring.promote, "in front already")
	refuse(retire(1), "is the current one")
	step(ring.add, "1 (current), 2")
	if !strings.HasPrefix(r.value(), first+",") {
		t.Error("the key of before is another one")
	}
	refuse(retire(3), "there is no key 3")
	step(ring.promote, "2 (current), 1")
	refuse(ring.promote, "in front already")
	refuse(retire(2), "is the current one")
	step(retire(1), "2 (current)")
	step(ring.add, "2 (current), 3")
	step(ring.add, "2 (current), 3, 4")
	step(ring.add, "2 (current), 3, 4, 5")
	refuse(ring.add, "there are 4 keys")
	step(ring.promote, "5 (current), 2, 3, 4")
	if r, err := (ring{{id: maxKeyID}}).add(); err == nil {
		t.Error(r.summary())
	}
}
