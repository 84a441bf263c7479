package command

import (
	"encoding/json"
	"fmt"
)

// metadataText reads a string out of a column's metadata.
func metadataText(metadata, key string) (string, bool) {
	if metadata == "" {
		return "", false
	}
	var m map[string]any
	if json.Unmarshal([]byte(metadata), &m) != nil {
		return "", false
	}
	s, ok := m[key].(string)
	return s, ok
}

// withMetadata sets a string in a column's metadata; nil removes it.
func withMetadata(metadata, key string, value *string) (string, error) {
	m := map[string]any{}
	if metadata != "" {
		if err := json.Unmarshal([]byte(metadata), &m); err != nil {
			return "", fmt.Errorf("column metadata: %w", err)
		}
	}
	if value == nil {
		delete(m, key)
	} else {
		m[key] = *value
	}
	if len(m) == 0 {
		return "", nil
	}
	b, err := json.Marshal(m)
	return string(b), err
}
