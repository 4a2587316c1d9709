import Google
import JSON
import SheetModel

/// Reads numbers of Google's answers into the ranges in which they mean something; sums and products of them then fit.
enum GoogleNumber {
    /// Google's ids of sheets, banded ranges and notes: 31 bits.
    static func id(_ value: JSON?, _ name: String) throws(GoogleError) -> Int {
        try number(value, in: 0...Int(Int32.max), name)
    }

    /// A number of rows or columns of a sheet; what is left out is zero.
    static func count(_ value: JSON?, _ name: String) throws(GoogleError) -> Int {
        try number(value, in: 0...Limits.cells, name)
    }

    /// The index of a row or column; what is left out is zero.
    static func index(_ value: JSON?, _ name: String) throws(GoogleError) -> Int {
        try number(value, in: 0...Limits.cells, name)
    }

    private static func number(
        _ value: JSON?, in range: ClosedRange<Int>, _ name: String
    ) throws(GoogleError) -> Int {
        guard let value, !value.isNull else { return 0 }
        guard let number = value.int, range.contains(number) else {
            throw GoogleError(
                .badAnswer, message: "Sheets' answer has a \(name) that is no number from 0 to \(range.upperBound).",
                retry: .backoff)
        }
        return number
    }
}
