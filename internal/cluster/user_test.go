package cluster

import "testing"

func TestUserName(t *testing.T) {
	t.Setenv("SPARK_USER", "")
	t.Setenv("HADOOP_USER_NAME", "")
	if UserName() == "" {
		t.Error("nobody is not a user")
	}
	t.Setenv("HADOOP_USER_NAME", "ann")
	if u := UserName(); u != "ann" {
		t.Errorf("%q, not the user of HADOOP_USER_NAME", u)
	}
	t.Setenv("SPARK_USER", "bob")
	if u := UserName(); u != "bob" {
		t.Errorf("%q, not the user of SPARK_USER", u)
	}
	if u := (&App{User: "carl"}).Environment()["SPARK_USER"]; u != "carl" {
		t.Errorf("executors belong to %q", u)
	}
}
