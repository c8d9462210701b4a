package token

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

func TestTokenIsRedacted(t *testing.T) {
	tok := MustFormat("acme").Generate()
	secret := tok.Expose()
	type holder struct {
		Public  Token
		private Token
		pointer *Token
	}
	h := holder{tok, tok, &tok}
	outputs := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%60s"} {
		outputs["token "+verb] = fmt.Sprintf(verb, tok)
		outputs["pointer "+verb] = fmt.Sprintf(verb, &tok)
		outputs["struct "+verb] = fmt.Sprintf(verb, h)
		outputs["struct pointer "+verb] = fmt.Sprintf(verb, &h)
		outputs["slice "+verb] = fmt.Sprintf(verb, []Token{tok})
		outputs["map "+verb] = fmt.Sprintf(verb, map[string]Token{"t": tok})
	}
	outputs["String"] = tok.String()
	outputs["GoString"] = tok.GoString()
	outputs["Errorf"] = fmt.Errorf("use %v", tok).Error()
	for name, v := range map[string]any{"token": tok, "pointer": &tok, "struct": h, "map": map[string]any{"t": tok}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		outputs["json "+name] = string(b)
		var logs bytes.Buffer
		slog.New(slog.NewTextHandler(&logs, nil)).Info("m", "k", v)
		slog.New(slog.NewJSONHandler(&logs, nil)).Info("m", "k", v)
		outputs["slog "+name] = logs.String()
	}
	x, err := xml.Marshal(tok)
	if err != nil {
		t.Fatal(err)
	}
	outputs["xml"] = string(x)
	text, err := tok.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	outputs["text"] = string(text)

	for name, out := range outputs {
		for _, leak := range []string{secret, secret[9:20], fmt.Sprintf("%x", secret[9:20]), fmt.Sprintf("%X", secret[9:20])} {
			if strings.Contains(out, leak) {
				t.Errorf("%s shows the secret: %s", name, out)
			}
		}
	}
	for _, name := range []string{"token %v", "token %+v", "token %#v", "token %s", "token %q", "token %x", "pointer %v", "text"} {
		if outputs[name] != redacted {
			t.Errorf("%s = %q, want %q", name, outputs[name], redacted)
		}
	}
	if outputs["json token"] != `"[redacted]"` {
		t.Errorf("json = %s", outputs["json token"])
	}
	if !strings.Contains(outputs["slog token"], "k=[redacted]") {
		t.Errorf("slog = %s", outputs["slog token"])
	}
}

func TestTokenAccessors(t *testing.T) {
	var zero Token
	if !zero.IsZero() || zero.Expose() != "" || zero.Last4() != "" || zero.String() != redacted {
		t.Error("the zero Token must be empty and redacted")
	}
	tok := newToken("abcdefgh")
	if tok.IsZero() || tok.Expose() != "abcdefgh" || tok.Last4() != "efgh" {
		t.Errorf("got %q, %q", tok.Expose(), tok.Last4())
	}
	if got := newToken("abc").Last4(); got != "" {
		t.Errorf("Last4 of a short secret = %q, want none: it would be all of it", got)
	}
	if reflect.TypeFor[Token]().Comparable() {
		t.Error("Token is comparable; == on secrets must not compile")
	}
}
