"""Photos of handwritten digits: from a picture file to what a network reads in it, step by step.

    picture_files         a file from outside: looked at before it is unpacked, turned upright, made grey
    binarisation          from grey to ink: uneven light taken out, and a threshold
    finding_digits        from ink to digits: pieces that belong together, in rows, each from left to right
        touching_digits           a piece cut apart where two digits may touch
    reading_digits        from digits to answers: each prepared as MNIST was made, and read by a network
    marking               the photo with a box and an answer around each digit

Whoever has one digit in a file needs the first two steps only: `picture_files.ink_from_picture`.
"""
