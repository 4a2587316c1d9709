/// A row changed its place while a job read its sheet, which has to be read anew.
struct SheetChanged: Error {}
