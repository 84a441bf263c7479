//go:build !linux

package main

import "syscall"

// endsWithParent: other systems cannot do that. The child ends when it next needs the session.
func endsWithParent() *syscall.SysProcAttr { return nil }
