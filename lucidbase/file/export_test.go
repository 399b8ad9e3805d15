package file

// Fields is for tests.
var Fields = fields
