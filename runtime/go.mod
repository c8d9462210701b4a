module github.com/custos-auth/custos/runtime

go 1.25.0
