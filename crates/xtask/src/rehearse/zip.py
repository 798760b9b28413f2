"""Packs programs as Lambda wants them: triples of arguments, the name within, the file, the zip. Stored, for speed."""
import sys
import zipfile

for name, file, target in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o755 << 16
    with open(file, "rb") as source, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr(entry, source.read())
