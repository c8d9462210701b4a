package project_test

import (
	"slices"
	"testing"
	"time"

	"github.com/custos-auth/custos/generator/project"
)

func TestNext(t *testing.T) {
	now := time.Date(2026, 12, 31, 23, 59, 59, 5, time.FixedZone("", -3600))
	for _, c := range []struct {
		name      string
		m         project.Migrations
		numbering string
		want      []string
	}{
		{"first", project.Migrations{}, "sequential", []string{"00001", "00002"}},
		{"width", project.Migrations{Last: 9, Width: 3}, "sequential", []string{"010", "011"}},
		{"overflow", project.Migrations{Last: 99, Width: 2}, "sequential", []string{"100", "101"}},
		{"sequential after timestamps", project.Migrations{Last: 20240101000000}, "sequential", []string{"20240101000001", "20240101000002"}},
		{"timestamp", project.Migrations{}, "timestamp", []string{"20270101005959", "20270101010000"}},
		{"timestamp after sequential", project.Migrations{Last: 12, Width: 5}, "timestamp", []string{"20270101005959", "20270101010000"}},
		{"future", project.Migrations{Last: 20301231235959}, "timestamp", []string{"20310101000000", "20310101000001"}},
		{"no date", project.Migrations{Last: 20309999999999}, "timestamp", []string{"20310000000000", "20310000000001"}},
	} {
		cfg := project.MigrationConfig{Numbering: c.numbering}
		if got := c.m.Next(cfg, 2, now); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if got := (project.Migrations{}).Next(project.MigrationConfig{}, 0, now); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestMigrationFiles(t *testing.T) {
	for _, c := range []struct{ tool, upName, downName, up, down string }{
		{"goose", "1_a.sql", "", "-- +goose Up\nU;\n\n-- +goose Down\nD;\n", ""},
		{"dbmate", "1_a.sql", "", "-- migrate:up\nU;\n\n-- migrate:down\nD;\n", ""},
		{"golang-migrate", "1_a.up.sql", "1_a.down.sql", "U;\n", "D;\n"},
		{"plain", "1_a.sql", "down/1_a.sql", "U;\n", "D;\n"},
	} {
		upName, downName := project.MigrationName(project.MigrationConfig{Tool: c.tool}, "1", "a")
		up, down := project.MigrationBody(c.tool, "\nU;\n\n", "D;")
		if upName != c.upName || downName != c.downName || string(up) != c.up || string(down) != c.down || (down == nil) != (c.downName == "") {
			t.Errorf("%s: %q %q %q %q", c.tool, upName, downName, up, down)
		}
	}
}

func TestSplitMigration(t *testing.T) {
	for _, tool := range []string{project.Goose, project.Dbmate} {
		content, _ := project.MigrationBody(tool, "CREATE TABLE a;\n\n-- why\nCREATE INDEX b;", "DROP TABLE a;")
		if up, down, ok := project.SplitMigration(content); !ok || up != "CREATE TABLE a;\n\n-- why\nCREATE INDEX b;" || down != "DROP TABLE a;" {
			t.Errorf("%s: %q, %q, %v", tool, up, down, ok)
		}
	}
	for content, want := range map[string]bool{
		"--+goose up\na\n--  +GOOSE   DOWN\nb": true, "-- +goose NO TRANSACTION\n-- +goose Up\r\na\r\n-- +goose Down\r\nb": true,
		"-- migrate:up transaction:false\na\n-- migrate:down\nb": true, "-- +goose Up\na": false, "-- +goose Up\na\n-- +goose Down\n \n": false, "a": false, "": false,
	} {
		if up, down, ok := project.SplitMigration([]byte(content)); ok != want || ok && (up != "a" || down != "b") {
			t.Errorf("%q: %q, %q, %v", content, up, down, ok)
		}
	}
}

func TestMigrationTitle(t *testing.T) {
	for _, tool := range []string{project.Goose, project.Dbmate, project.GolangMigrate, project.Plain} {
		up, down := project.MigrationName(project.MigrationConfig{Tool: tool}, "00012", "create_2fa_codes")
		if got := project.MigrationTitle("db/" + up); got != "create_2fa_codes" || project.IsDown(up) {
			t.Errorf("%s: %s is %q", tool, up, got)
		}
		if down != "" && (project.MigrationTitle("db/"+down) != "create_2fa_codes" || !project.IsDown("db/"+down)) {
			t.Errorf("%s: %s is %q", tool, down, project.MigrationTitle(down))
		}
	}
}
