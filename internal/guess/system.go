package guess

import (
	"slices"
	"strings"
)

// systemOf are the Debian packages that a distribution needs and its wheel does not
// bring: a library that it loads by name, or a program that it runs. Each was tried.
var systemOf = map[string][]string{
	"cairosvg":      {"libcairo2"},
	"ffmpeg-python": {"ffmpeg"},
	"gitpython":     {"git"},
	"librosa":       {"libtbb12"}, // of numba
	"numba":         {"libtbb12"},
	"opencv-python": {"libgl1", "libglib2.0-0", "libice6", "libsm6"}, // opencv-python-headless needs none
	"pdf2image":     {"poppler-utils"},
	"pdfkit":        {"wkhtmltopdf"}, // configured with /usr/bin/wkhtmltopdf: there is no which
	"psycopg":       {"libpq5"},      // psycopg[binary] brings it
	"pydub":         {"ffmpeg"},
	"pytesseract":   {"tesseract-ocr"},
	"python-magic":  {"libmagic1"},
	"pyzbar":        {"libzbar0"},
	"wand":          {"libmagickwand-6.q16-6"},
	"weasyprint":    {"libpango-1.0-0", "libpangoft2-1.0-0"},
}

// system finds the Debian packages that the list needs.
func (p *Project) system(packages []string) {
	for _, name := range packages {
		wanted := systemOf[name]
		if len(wanted) == 0 || slices.Contains(packages, name+"-binary") {
			continue
		}
		p.note("system %s: %s needs it, and does not bring it", strings.Join(wanted, ", "), name)
		p.System = append(p.System, wanted...)
	}
	slices.Sort(p.System)
	p.System = slices.Compact(p.System)
}
