// What go-macaroon makes of ../inputs.json: run `go run . < ../inputs.json`.
package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"runtime/debug"

	"gopkg.in/macaroon.v2"
)

const module = "gopkg.in/macaroon.v2"

type toCreate struct {
	Name       string   `json:"name"`
	RootKey    string   `json:"root_key"`
	Identifier string   `json:"identifier"`
	Location   string   `json:"location"`
	Caveats    []string `json:"caveats"`
}

type encoding struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	Hex    string `json:"hex,omitempty"`
	Text   string `json:"text,omitempty"`
}

type toJudge struct {
	encoding
	RootKey string `json:"root_key"`
}

type output struct {
	Library string          `json:"library"`
	Version string          `json:"version"`
	Created []encoding      `json:"created"`
	Judged  map[string]bool `json:"judged"`
}

func main() {
	var inputs struct {
		Create []toCreate `json:"create"`
		Judge  []toJudge  `json:"judge"`
	}
	must(json.NewDecoder(os.Stdin).Decode(&inputs))
	out := output{Library: "go-macaroon", Version: version(), Judged: map[string]bool{}}
	for _, c := range inputs.Create {
		out.Created = append(out.Created, create(c)...)
	}
	for _, c := range inputs.Judge {
		out.Judged[c.Name] = accepts(c)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	must(encoder.Encode(out))
}

func create(c toCreate) []encoding {
	var made []encoding
	for _, v := range []macaroon.Version{macaroon.V1, macaroon.V2} {
		m, err := macaroon.New(unhex(c.RootKey), unhex(c.Identifier), c.Location, v)
		if err != nil {
			// Its v1 takes an identifier that is text alone.
			continue
		}
		for _, caveat := range c.Caveats {
			must(m.AddFirstPartyCaveat(unhex(caveat)))
		}
		binary, err := m.MarshalBinary()
		must(err)
		format := map[macaroon.Version]string{macaroon.V1: "v1", macaroon.V2: "v2"}[v]
		made = append(made, encoding{Name: c.Name, Format: format, Hex: hex.EncodeToString(binary)})
		if v == macaroon.V2 {
			text, err := m.MarshalJSON()
			must(err)
			made = append(made, encoding{Name: c.Name, Format: "v2json", Text: string(text)})
		}
	}
	return made
}

func accepts(c toJudge) (accepted bool) {
	// It panics on some input: that is no acceptance.
	defer func() {
		if recover() != nil {
			accepted = false
		}
	}()
	var m macaroon.Macaroon
	var err error
	switch c.Format {
	case "v2json":
		err = m.UnmarshalJSON([]byte(c.Text))
	case "base64":
		var data []byte
		if data, err = macaroon.Base64Decode([]byte(c.Text)); err == nil {
			err = m.UnmarshalBinary(data)
		}
	default:
		err = m.UnmarshalBinary(unhex(c.Hex))
	}
	return err == nil && m.Verify(unhex(c.RootKey), func(string) error { return nil }, nil) == nil
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep.Version[1:]
		}
	}
	panic("no version of " + module)
}

func unhex(text string) []byte {
	data, err := hex.DecodeString(text)
	must(err)
	return data
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
