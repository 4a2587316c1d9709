/// A currency by its ISO 4217 code, and how its amounts are shown.
struct Currency {
    /// The code, three capital letters.
    let code: String

    /// Makes a currency; nil for what is not three capital letters.
    init?(code: String) {
        guard code.utf8.count == 3, code.utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) })
        else {
            return nil
        }
        self.code = code
    }

    /// The pattern of Sheets: a symbol where one is well known, else the code, and the currency's own decimals.
    var pattern: String {
        let decimals = ["#,##0", "#,##0", "#,##0.00", "#,##0.000"][decimalPlaces]
        return Self.symbols[code].map { "[$\($0)]\(decimals)" } ?? "[$\(code)] \(decimals)"
    }

    private var decimalPlaces: Int {
        if Self.withoutDecimals.contains(code) { return 0 }
        return Self.withThreeDecimals.contains(code) ? 3 : 2
    }

    // Only symbols that mean one currency; other dollars keep a letter, the rest their code.
    private static let symbols = [
        "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "UAH": "₴", "VND": "₫",
        "TRY": "₺", "NGN": "₦", "PHP": "₱", "KZT": "₸", "GEL": "₾", "BRL": "R$", "CAD": "CA$", "AUD": "A$",
        "NZD": "NZ$", "HKD": "HK$", "MXN": "MX$", "TWD": "NT$", "CNY": "CN¥",
    ]
    private static let withoutDecimals: Set = [
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
    ]
    private static let withThreeDecimals: Set = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
}
