"""The tagger: a tag for each word or character of a sequence."""
