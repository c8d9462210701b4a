package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseMySQL(t *testing.T) {
	for _, test := range []struct{ dsn, user, password, addr, name string }{
		{"mysql://me@db/shop", "me", "", "db:3306", "shop"},
		{"mysql://me:p%40ss%2Fw:%3F@db:3307/shop", "me", "p@ss/w:?", "db:3307", "shop"},
		{"mysql://a%3Ab:c@[::1]/shop", "a:b", "c", "[::1]:3306", "shop"},
		{"mysql://me@[::1]:3307/my%20shop", "me", "", "[::1]:3307", "my shop"},
		{"mysql://db", "", "", "db:3306", ""},
		{"me:pw@tcp(db:3307)/shop", "me", "pw", "db:3307", "shop"},
	} {
		c, err := parseMySQL(test.dsn)
		if err != nil {
			t.Errorf("%s: %v", test.dsn, err)
			continue
		}
		if c.User != test.user || c.Passwd != test.password || c.Net != "tcp" || c.Addr != test.addr || c.DBName != test.name {
			t.Errorf("%s: got %q %q %s(%s) %q", test.dsn, c.User, c.Passwd, c.Net, c.Addr, c.DBName)
		}
	}
	c, err := parseMySQL("mysql://me:pw@db/shop?tls=true&timeout=3s&loc=Europe/Berlin&charset=utf8mb4,utf8&sql_mode=%27ANSI%27")
	if err != nil {
		t.Fatal(err)
	}
	if c.TLSConfig != "true" || c.TLS == nil || c.TLS.ServerName != "db" || c.Timeout != 3*time.Second || c.Loc.String() != "Europe/Berlin" || c.Params["sql_mode"] != "'ANSI'" {
		t.Errorf("parameters: %+v", c)
	}
	for _, dsn := range []string{
		"mysql://me:hunter2@db:port/shop", "mysql://me:hunter2@db/shop?tls=nosuch", "mysql://me:hunter2@db/shop?timeout=hunter2",
		"me:hunter2@nowhere", "mysql://me:hun%ter2@db/shop",
	} {
		if _, err := openMySQL(dsn, ""); err == nil || strings.Contains(err.Error(), "ter2") || !strings.Contains(err.Error(), "malformed") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
