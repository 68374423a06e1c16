"""What a network of lesson 05 is shown: triples, made, written and read; images of one's own."""
