"""The versions of the notebooks: a learner's, an instructor's, slides. Pure, but for `building`.

A source holds everything: the lesson, the notes of an instructor, the solutions. What a
cell is, its tags say (`cells`). A version is a function from notebook to notebook
(`versions`); `notes` keeps what an instructor wrote into a version when it is built anew;
`checking` says what is wrong in a source, and `cleaning` fixes what needs no thought.
"""
