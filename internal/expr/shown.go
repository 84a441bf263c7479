package expr

// shown are the function names that Spark prints in another way than they are called.
var shown = map[string]string{"ceil": "CEIL", "floor": "FLOOR"}
