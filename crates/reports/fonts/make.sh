#!/usr/bin/env bash
# Makes the faces of this folder anew. Needs Debian's fonts-noto-core and fonts-dejavu-core, and fonttools from PyPI
# (`python3 -m venv /tmp/v && /tmp/v/bin/pip install fonttools`, then `PATH=/tmp/v/bin:$PATH ./make.sh`).
set -euo pipefail
cd "$(dirname "$0")"
noto=/usr/share/fonts/truetype/noto
dejavu=/usr/share/fonts/truetype/dejavu
# Latin with its extensions (Yoruba, Hausa, Igbo, Welsh, Polish, Romanian, …), IPA's ones for names, tone letters,
# combining marks, Greek and basic Cyrillic, punctuation, super- and subscripts, currency, letter-like signs.
text=U+0020-007E,U+00A0-024F,U+0251,U+0253-0254,U+0256-0257,U+0259,U+025B,U+0263,U+0268-0269,U+0272,U+028B
text+=,U+02B9-02BF,U+02C6-02C7,U+02C9-02CB,U+02D8-02DD,U+0300-030C,U+030F,U+0311-0313,U+031B,U+0323-0328,U+0329,U+032D-0332
text+=,U+0386-03CE,U+0400-045F,U+0490-0491,U+1E00-1EF9,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+202F,U+2030,U+2032-2033
text+=,U+2039-203A,U+2044,U+2070,U+2074-2079,U+2080-2089,U+20A6,U+20AC,U+20A0-20BF,U+2116,U+2122,U+2212,U+2260,U+2264-2265,U+25CC,U+A78B-A78C,U+FFFD
for face in Regular Bold Italic; do
  pyftsubset $noto/NotoSans-$face.ttf --unicodes=$text --output-file=NotoSans-$face.ttf --no-hinting --desubroutinize \
    --layout-features=mark,mkmk --drop-tables+=GDEF,GSUB,DSIG,STAT,MVAR --name-IDs=0,1,2,4,6,14 --name-languages=0x409 --notdef-outline --recalc-bounds
done
# Arrows, boxes, ticks, stars, mathematics.
signs=U+2212,U+2260,U+2264-2265,U+2153-215E,U+2190-2195,U+21D0-21D4,U+2200,U+2206,U+2208,U+2211,U+2213,U+221A,U+221E,U+2248,U+2261,U+25A0-25A1,U+25AA-25AB
signs+=,U+25B2,U+25B6,U+25BA,U+25BC,U+25C0,U+25C6-25C7,U+25CB,U+25CF,U+25E6,U+2605-2606,U+2610-2612,U+2640,U+2642,U+26A0,U+2713-2714,U+2717-2718,U+2500,U+2502,U+250C,U+2510,U+2514,U+2518
pyftsubset $dejavu/DejaVuSans.ttf --unicodes=$signs --output-file=DejaVuSans-Signs.ttf --no-hinting \
  --layout-features= --drop-tables+=GDEF,GSUB,GPOS,DSIG,MATH --name-IDs=0,1,2,4,6,14 --name-languages=0x409 --notdef-outline --recalc-bounds
