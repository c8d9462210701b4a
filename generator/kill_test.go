package generator_test

const childDir = "CUSTOS_TEST_CHILD_DIR"

func generateAsChild(string) int { return 1 }
