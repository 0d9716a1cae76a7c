"""The dictionary: names, types, keys, codelists, partial dates, findings, results, readers and writers."""
