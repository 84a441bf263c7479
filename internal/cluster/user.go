package cluster

import (
	"os"
	"os/user"
)

// UserName is whose application this process is: SPARK_USER and HADOOP_USER_NAME come before the user of the operating system.
func UserName() string {
	for _, key := range []string{"SPARK_USER", "HADOOP_USER_NAME"} {
		if u := os.Getenv(key); u != "" {
			return u
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "nobody"
}
