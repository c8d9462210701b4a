package model_test

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/model"
)

func TestParseSpellings(t *testing.T) {
	for _, c := range []struct {
		in   string
		want model.Model
	}{
		{"ApiClient", model.Model{Name: "ApiClient", Camel: "apiClient", Snake: "api_client", Kebab: "api-client", Plural: "ApiClients", Table: "api_clients", Package: "apiclient"}},
		{"APIClient", model.Model{Name: "APIClient", Camel: "apiClient", Snake: "api_client", Kebab: "api-client", Plural: "APIClients", Table: "api_clients", Package: "apiclient"}},
		{"api_client", model.Model{Name: "ApiClient", Camel: "apiClient", Snake: "api_client", Kebab: "api-client", Plural: "ApiClients", Table: "api_clients", Package: "apiclient"}},
		{"api-client", model.Model{Name: "ApiClient", Camel: "apiClient", Snake: "api_client", Kebab: "api-client", Plural: "ApiClients", Table: "api_clients", Package: "apiclient"}},
		{"HTTPServer", model.Model{Name: "HTTPServer", Camel: "httpServer", Snake: "http_server", Kebab: "http-server", Plural: "HTTPServers", Table: "http_servers", Package: "httpserver"}},
		{"Admin::User", model.Model{Name: "AdminUser", Camel: "adminUser", Snake: "admin_user", Kebab: "admin-user", Plural: "AdminUsers", Table: "admin_users", Package: "adminuser"}},
		{"admin::user", model.Model{Name: "AdminUser", Camel: "adminUser", Snake: "admin_user", Kebab: "admin-user", Plural: "AdminUsers", Table: "admin_users", Package: "adminuser"}},
		{"Person", model.Model{Name: "Person", Camel: "person", Snake: "person", Kebab: "person", Plural: "People", Table: "people", Package: "person"}},
		{"SalesPerson", model.Model{Name: "SalesPerson", Camel: "salesPerson", Snake: "sales_person", Kebab: "sales-person", Plural: "SalesPeople", Table: "sales_people", Package: "salesperson"}},
		{"Category", model.Model{Name: "Category", Camel: "category", Snake: "category", Kebab: "category", Plural: "Categories", Table: "categories", Package: "category"}},
		{"Bus", model.Model{Name: "Bus", Camel: "bus", Snake: "bus", Kebab: "bus", Plural: "Buses", Table: "buses", Package: "bus"}},
		{"Box", model.Model{Name: "Box", Camel: "box", Snake: "box", Kebab: "box", Plural: "Boxes", Table: "boxes", Package: "box"}},
		{"Branch", model.Model{Name: "Branch", Camel: "branch", Snake: "branch", Kebab: "branch", Plural: "Branches", Table: "branches", Package: "branch"}},
		{"Key", model.Model{Name: "Key", Camel: "key", Snake: "key", Kebab: "key", Plural: "Keys", Table: "keys", Package: "key"}},
		{"Child", model.Model{Name: "Child", Camel: "child", Snake: "child", Kebab: "child", Plural: "Children", Table: "children", Package: "child"}},
		{"Woman", model.Model{Name: "Woman", Camel: "woman", Snake: "woman", Kebab: "woman", Plural: "Women", Table: "women", Package: "woman"}},
		{"Staff", model.Model{Name: "Staff", Camel: "staff", Snake: "staff", Kebab: "staff", Plural: "Staff", Table: "staff", Package: "staff"}},
		{"Y", model.Model{Name: "Y", Camel: "y", Snake: "y", Kebab: "y", Plural: "Ys", Table: "ys", Package: "y"}},
		{"Oauth2Client", model.Model{Name: "Oauth2Client", Camel: "oauth2Client", Snake: "oauth2_client", Kebab: "oauth2-client", Plural: "Oauth2Clients", Table: "oauth2_clients", Package: "oauth2client"}},
	} {
		got, err := model.Parse(c.in)
		got.Words, got.Many = "", ""
		if err != nil || got != c.want {
			t.Errorf("Parse(%q) = %+v, %v\nwant %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ in, reason, try string }{
		{"", "empty", "ApiClient"},
		{"1Client", "starts with a letter", ""},
		{"Api Client", "not an ASCII letter", "ApiClient"},
		{"Üser", "not an ASCII letter", ""},
		{"api__client", "two separators", "ApiClient"},
		{"_client", "at an end", "Client"},
		{"client_", "at an end", "Client"},
		{"admin/user", "two colons", "AdminUser"},
		{"admin.user", "two colons", "AdminUser"},
		{"Admin:User", "two colons", "AdminUser"},
		{"Func", "Go keyword", "FuncAccount"},
		{"String", "predeclared", "StringAccount"},
		{"Error", "predeclared", "ErrorAccount"},
		{"Auth", "shared package", "AuthAccount"},
		{"Service", "declares a type", "ServiceAccount"},
		{"Main", "own use", "MainAccount"},
		{"Http", "imports a package", "HttpAccount"},
		{"Vendor", "go command", "VendorAccount"},
		{strings.Repeat("A", 31), "longer than 30", ""},
		{"\xff", "UTF-8", ""},
	} {
		_, err := model.Parse(c.in)
		var e *model.NameError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.reason) || c.try != "" && e.Try != c.try {
			t.Errorf("Parse(%q): %v, want %q and the proposal %q", c.in, err, c.reason, c.try)
		}
		if e != nil && e.Try != "" {
			if _, err := model.Parse(e.Try); err != nil {
				t.Errorf("Parse(%q) proposes %q, which is none either: %v", c.in, e.Try, err)
			}
		}
	}
}

// hostile is at least 200 names that try to be more than a name.
func hostile() []string {
	var names []string
	for _, piece := range []string{
		"'", "\"", "`", ";", "--", "/*", "*/", "\\", "/", "../", "..", "\x00", "\n", "\r", "\t", " ", "$", "${", "{{", "}}", "%s", "%", "&", "|", "<", ">",
		"(", ")", "[", "]", "=", "+", "*", "?", "!", "@", "#", "^", "~", ",", ".", ":", "\u202e", "\u200b", "\ufeff", "é", "Ａ", "К", "ı", "ſ", "\x80", "\xc0\xaf", "😀",
	} {
		names = append(names, piece, "User"+piece, piece+"User", "Us"+piece+"er", "User"+piece+"DROP")
	}
	return append(names,
		"User'; DROP TABLE users; --", "../../etc/passwd", "/etc/passwd", "C:\\Windows", "{{.Secret}}", "$(rm -rf)", "`id`", "User\nimport \"os\"",
		"user.go", "user_test.go/..", "-rf", "--help", "-", "_", "__", "::", ":::", "A::", "::A", "A:::B", "0", "007", "con\x00", strings.Repeat("a", 1<<16), strings.Repeat("A_", 40))
}

// G-01: a name that is no name reaches neither Go, nor SQL, nor a path.
func TestHostileNames(t *testing.T) {
	names := hostile()
	if len(names) < 200 {
		t.Fatalf("only %d names", len(names))
	}
	for _, name := range names {
		m, err := model.Parse(name)
		var e *model.NameError
		if !errors.As(err, &e) {
			t.Errorf("Parse(%.40q) = %+v, %v", name, m, err)
			continue
		}
		if len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\n\r\x00") {
			t.Errorf("Parse(%.40q): the message could harm a terminal: %.400q", name, err)
		}
	}
}

func TestEveryKeywordIsRefused(t *testing.T) {
	names := types.Universe.Names()
	for k := token.BREAK; k <= token.VAR; k++ {
		names = append(names, k.String())
	}
	for _, n := range names {
		if m, err := model.Parse(strings.ToUpper(n[:1]) + n[1:]); err == nil {
			t.Errorf("a package %s", m.Package)
		}
	}
}

func TestIsIdentifier(t *testing.T) {
	for in, want := range map[string]bool{
		"users": true, "api_clients2": true, "": false, "2users": false, "Users": false, "users;": false, "us ers": false, "usérs": false,
		strings.Repeat("a", 63): true, strings.Repeat("a", 64): false, "public.users": false, "\"users\"": false,
	} {
		if got := model.IsIdentifier(in); got != want {
			t.Errorf("IsIdentifier(%q) = %v", in, got)
		}
	}
}

func TestCheckUnique(t *testing.T) {
	parse := func(names ...string) (out []model.Model) {
		for _, n := range names {
			m, err := model.Parse(n)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, m)
		}
		return out
	}
	if err := model.CheckUnique(parse("User", "Admin", "ApiClient")); err != nil {
		t.Error(err)
	}
	for _, pair := range [][]string{{"ApiClient", "APIClient"}, {"AdminUser", "Adminuser"}} {
		if err := model.CheckUnique(parse(pair...)); !errors.Is(err, model.ErrDuplicate) || !strings.Contains(err.Error(), pair[0]) {
			t.Errorf("%v: %v", pair, err)
		}
	}
}

// Whatever parses is safe in Go, in SQL and in a path, and is what its own name parses to.
func FuzzParse(f *testing.F) {
	for _, n := range append(hostile(), "ApiClient", "api_client", "Admin::User", "HTTPServer2", "X1y2", "aB", "A-b_c") {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m, err := model.Parse(name)
		if err != nil {
			var e *model.NameError
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(name) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if !token.IsIdentifier(m.Name) || !token.IsExported(m.Name) || !token.IsIdentifier(m.Plural) || len(m.Name) > model.MaxLen {
			t.Errorf("type %q, plural %q", m.Name, m.Plural)
		}
		if !token.IsIdentifier(m.Package) || types.Universe.Lookup(m.Package) != nil || m.Package != strings.ToLower(m.Package) {
			t.Errorf("package %q", m.Package)
		}
		if !model.IsIdentifier(m.Table) || !model.IsIdentifier(m.Snake) || !model.IsIdentifier("custos_"+m.Snake) {
			t.Errorf("table %q, snake %q", m.Table, m.Snake)
		}
		for _, s := range []string{m.Kebab, m.Camel, m.Words, m.Many} {
			if s == "" || strings.ContainsAny(s, "'\"`\\/;\n") {
				t.Errorf("spelling %q", s)
			}
		}
		if again, err := model.Parse(m.Name); err != nil || again.Name != m.Name || again.Package != m.Package {
			t.Errorf("Parse(%q) = %+v, but Parse(%q) = %+v, %v", name, m, m.Name, again, err)
		}
		for _, spelling := range []string{m.Snake, m.Kebab} {
			if again, err := model.Parse(spelling); err != nil || again.Snake != m.Snake || again.Table != m.Table {
				t.Errorf("Parse(%q).Snake = %q, but Parse(%q) = %+v, %v", name, m.Snake, spelling, again, err)
			}
		}
	})
}

func ExampleParse() {
	m, _ := model.Parse("ApiClient")
	fmt.Println(m.Package, m.Table, m.Words)
	// Output: apiclient api_clients API client
}
