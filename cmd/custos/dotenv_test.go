package main

import (
	"strings"
	"testing"
)

func TestLookupDotEnv(t *testing.T) {
	for _, test := range []struct {
		name, content, want string
		ok                  bool
	}{
		{"plain", "A=b", "b", true},
		{"spaces", "  A =  b c  \n", "b c", true},
		{"empty", "A=\n", "", true},
		{"absent", "AA=b\n#A=c\n", "", false},
		{"the first counts", "A=b\nA=c\n", "b", true},
		{"export", "export A=b\n", "b", true},
		{"export with a tab", "export\tA=b\n", "b", true},
		{"a name that begins with export", "exportA=b\n", "", false},
		{"byte order mark", "\ufeffA=b\n", "b", true},
		{"CRLF", "# x\r\n\r\nA=b\r\nB=c\r\n", "b", true},
		{"CRLF and quotes", "A=\"b\"\r\n", "b", true},
		{"comment", "A=b # c\n", "b", true},
		{"comment after a tab", "A=b\t# c\n", "b", true},
		{"comment instead of a value", "A= # c\n", "", true},
		{"hash within a value", "A=b#c\n", "b#c", true},
		{"hash at once", "A=#c\n", "#c", true},
		{"hash in quotes", "A=\"b # c\" # d\n", "b # c", true},
		{"single quotes are literal", `A='b \n "c" $D'`, `b \n "c" $D`, true},
		{"double quotes too", `A="b \n $D"`, `b \n $D`, true},
		{"spaces in quotes", `A=" b "`, " b ", true},
		{"empty quotes", `A=""`, "", true},
		{"quotes that do not match", `A="b'`, `"b'`, true},
		{"one quote", `A=it's`, `it's`, true},
		{"text behind quotes", `A="b"c`, `b`, true},
		{"no quote at the end", `A=b"`, `b"`, true},
		{"equals signs", "A=1:b=\n", "1:b=", true},
	} {
		got, ok, err := lookupDotEnv([]byte(test.content), "A")
		if got != test.want || ok != test.ok || err != nil {
			t.Errorf("%s: got %q, %v, %v; want %q, %v", test.name, got, ok, err, test.want, test.ok)
		}
	}
	for _, content := range []string{"B=c\n\nhunter2\nA=b\n", "A=b\n#\nexport hunter2\n", "A=b\r\n\r\n=hunter2\r\n"} {
		_, ok, err := lookupDotEnv([]byte(content), "A")
		if ok || err == nil || !strings.Contains(err.Error(), "line 3 ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v, %v", content, ok, err)
		}
	}
}

func TestSetDotEnv(t *testing.T) {
	for in, want := range map[string]string{
		"K=old": "K=new", "K=old\n": "K=new\n", "\ufeffK=old\r\nA=1\r\n": "\ufeffK=new\r\nA=1\r\n", "A=old\n  export K = \"old\" # old\nK=old\n": "A=old\n  export K = \"new\" # old\nK=old\n",
		"# K=old\n\nK='old'junk\nB=old": "# K=old\n\nK='new'junk\nB=old", "K=old # why": "K=new # why", "\tK\t=\told\t\n": "\tK\t=\tnew\t\n",
	} {
		got, err := setDotEnv([]byte(in), "K", "new")
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
		if v, ok, err := lookupDotEnv(got, "K"); v != "new" || !ok || err != nil {
			t.Errorf("%q: then it is %q, %v, %v", in, v, ok, err)
		}
	}
	for _, in := range []string{"", "A=1", "nonsense"} {
		if got, err := setDotEnv([]byte(in), "K", "new"); err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}
