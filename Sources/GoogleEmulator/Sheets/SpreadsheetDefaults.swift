import JSON

/// What every new spreadsheet has.
enum SpreadsheetDefaults {
    private static let black: JSON = ["rgbColor": [:]]
    private static let white: JSON = ["red": 1, "green": 1, "blue": 1]

    /// `SpreadsheetProperties.defaultFormat`.
    static let format: JSON = [
        "backgroundColor": white,
        "padding": ["top": 2, "right": 3, "bottom": 2, "left": 3],
        "verticalAlignment": "BOTTOM",
        "wrapStrategy": "OVERFLOW_CELL",
        "textFormat": [
            "foregroundColor": [:], "fontFamily": "arial,sans,sans-serif", "fontSize": 10, "bold": false,
            "italic": false, "strikethrough": false, "underline": false, "foregroundColorStyle": black,
        ],
        "backgroundColorStyle": ["rgbColor": white],
    ]

    /// `SpreadsheetProperties.spreadsheetTheme`.
    static let theme: JSON = [
        "primaryFontFamily": "Arial",
        "themeColors": [
            ["colorType": "TEXT", "color": black],
            ["colorType": "BACKGROUND", "color": ["rgbColor": white]],
            color("ACCENT1", 0.25882354, 0.52156866, 0.95686275),
            color("ACCENT2", 0.91764706, 0.2627451, 0.20784314),
            color("ACCENT3", 0.9843137, 0.7372549, 0.015686275),
            color("ACCENT4", 0.20392157, 0.65882355, 0.3254902),
            color("ACCENT5", 1, 0.42745098, 0.003921569),
            color("ACCENT6", 0.27450982, 0.7411765, 0.7764706),
            color("LINK", 0.06666667, 0.33333334, 0.8),
        ],
    ]

    private static func color(_ type: String, _ red: Double, _ green: Double, _ blue: Double) -> JSON {
        [
            "colorType": .string(type),
            "color": ["rgbColor": ["red": JSON(red), "green": JSON(green), "blue": JSON(blue)]],
        ]
    }
}
