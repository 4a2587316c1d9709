@main enum SheetSync { static func main() {} }
