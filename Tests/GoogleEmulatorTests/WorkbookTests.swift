import Foundation
import GoogleEmulator
import JSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct WorkbookTests {
    private static let type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    @Test func readsSheetsTypesAndFormatsOfAWorkbook() async throws {
        let bytes = try #require(Data(base64Encoded: Self.workbook, options: .ignoreUnknownCharacters))
        try await Client.run { client in
            let id = try await client.makeSpreadsheet("Book")
            func replace(_ bytes: [UInt8]) async throws -> Client.Answer {
                try await client.send(
                    "PATCH", "/upload/drive/v3/files/\(id)?uploadType=media", bytes, type: Self.type)
            }
            #expect(try await replace(Array(bytes)).status == 200)
            let meta = try await client.get("/v4/spreadsheets/\(id)", ["fields": "sheets.properties"])
            let sheets = meta.json["sheets"]?.array ?? []
            #expect(sheets.map { $0["properties"]?["title"]?.string } == ["A & B", "C"])
            let grid = sheets.first?["properties"]?["gridProperties"]
            #expect(grid?["frozenRowCount"]?.int == 1)
            #expect(grid?["rowCount"]?.int == 1000)
            #expect(grid?["columnCount"]?.int == 28)
            let values = try await client.get(
                "/v4/spreadsheets/\(id)/values/A1:AB3", ["valueRenderOption": "UNFORMATTED_VALUE"])
            #expect(values.json["values"]?[0] == ["head", "two runs", "", "\u{2603} in"], "\(values.text)")
            let row = values.json["values"]?[2]?.array ?? []
            #expect(Array(row.prefix(4)) == [46348, 46348.5, true, 0.125], "\(values.text)")
            #expect(row.last == "far")
            let shown = try await client.get("/v4/spreadsheets/\(id)/values/A3:D3")
            #expect(shown.json["values"]?[0] == ["11/22/2026", "2026-11-22 12:00", "TRUE", "12.50%"], "\(shown.text)")
            let formats = client.emulator.state(spreadsheetID: id, formatRanges: ["A1", "A3"])
            #expect(formats["spreadsheets"]?[0]?["formats"]?["A1"]?[0]?[0]?["textFormat"]?["bold"] == true)
            // A file that breaks off is refused, and leaves what was there.
            #expect(try await replace(Array(bytes.dropLast(100))).status == 400)
            var damaged = Array(bytes)
            for index in 60..<120 { damaged[index] ^= 0x55 }
            #expect(try await replace(damaged).status == 400)
            let kept = try await client.get("/v4/spreadsheets/\(id)/values/A1")
            #expect(kept.json["values"] == [["head"]])
        }
    }

    /// A workbook of two sheets: shared texts (one in two runs with a phonetic hint), an inline text, dates, a percentage,
    /// a boolean, a formula, bold text, a frozen row.
    private static let workbook = """
        UEsDBBQAAAAIAI+gdl0g36RusQAAADMBAAAPAAAAeGwvd29ya2Jvb2sueG1sjVDLEoIwDPyVTg4eKXDwgCDj4+JnVAjSkT4mqcrnW9ERxpO3
        JLvZ3aSsRzOIOxJrZyvIkhTqbTkWD0fXs3NXEWHLxVhBH4IvpOSmR6M4cR5txDpHRoXY0kWyJ1Qt94jBDDJP07U0Slv4aNA/Gq7rdINH19wM
        2vAWIRxUiPG4157hlW7y4G8lrDJYwU6slPEbsQcxjU9tPAgEFToWdGozkL8rhwU1X1DzF1XORnL+yPYJUEsDBBQAAAAIAI+gdl2lj+THgAAA
        ANgAAAAaAAAAeGwvX3JlbHMvd29ya2Jvb2sueG1sLnJlbHNtj00KgzAQha8S5gCOZtFFMe7dll4g6NSI+WMmoMdvKJTa0tXj8fg+eP2NvC1r
        iuLWLOoIPooBV0q+IsrkKFhpUqZYl0fiYEutvGC202YXQt22F+SzA4b+7FTjbIDHuQN1t7xQMbAn3sQRFcFXdE2VA/7n9IfDw+Mvq98sfh0Z
        nlBLAwQUAAAACACPoHZdJfw2jYIAAAC5AAAAFAAAAHhsL3NoYXJlZFN0cmluZ3MueG1sRY5LDsIwDESvUuUAuGLBokp9Bq4QFUMiNWnkMZ/j
        k7RILLyYN9azPWDDJ68Fs4tmdSLCEiUHnLYqpTX3TXOwFvVBqCrhhihieaXzOF4oh1QceyT2xrG1now99dxHO7b3NhxYD9IvTqhhkdk1JURf
        4lifBf+1a9yNqdiPdbB7qf3MX1BLAwQUAAAACACPoHZdse34brUAAABRAQAADQAAAHhsL3N0eWxlcy54bWxlULsOgjAU/RVyd7xoCAMBFhMT
        ZxYHFqStNeltCa0J/L2Uimjocu559PRRWDcpXkvOXTSS0rYE6VyfI9pOcmrtwfRcz44wA7VupsMDbT/wllm/iRSekiRDap8aqkK/6ELOrkMU
        4MpKOGYpRKHkbBgvYZpXExM1MWORlDkRYFXgt0EYvQIGqIq7T4QRP37Hlar9G25iZqPwiX/Ns80cxe+lUgiSL1sE2EWydK8lsB6zFOP2idUb
        UEsDBBQAAAAIAI+gdl2zgmv4FAEAABcCAAAYAAAAeGwvd29ya3NoZWV0cy9zaGVldDEueG1sbVJLT4QwEP4rpCZGLwwvN2YtTVjXoyei94pF
        GqGQtoHVX++0TZBdvU2/+R4zk9Jl1J+mE8JGp6FXpiSdtdMewDSdGLiJx0ko7LSjHrjFp/4AM2nB371o6CFLkh0MXCrCqMdepVjMpmZ04kpE
        X/XUS1uSlETGcitK0urxWygCjMKGDH9MjtxyRvW4RNrJGW1cUaER2hm0K0mG6MwSCjMaNI7hWw5MNyDKjkEmVS+VqK1GjsQgy66vTtkuyR8i
        qShYVDjYyQCT1/h8jc99cOozil1e3J/nHEI//+3Hd+eMx9xP8vbvlEFdhLXiNLvQPjnfltUvzzdVuq+yWwrt5QXckIeQYfyeM2u5XglhLdhc
        GNa/wH4AUEsDBBQAAAAIAI+gdl0Ke2r/VwAAAGUAAAAYAAAAeGwvd29ya3NoZWV0cy9zaGVldDIueG1ssynPL8ouzkhNLVGoyM3JK7ZVyigp
        KbDS1y9OzkjNTSzWyy9IzQPKpOUX5SaWALlF6frFBUWpiSlgTbk5+kYGBmb6uYmZeUp2NmAxl8SSRH07G324yXYAUEsBAhQDFAAAAAgAj6B2
        XSDfpG6xAAAAMwEAAA8AAAAAAAAAAAAAAIABAAAAAHhsL3dvcmtib29rLnhtbFBLAQIUAxQAAAAIAI+gdl2lj+THgAAAANgAAAAaAAAAAAAA
        AAAAAACAAd4AAAB4bC9fcmVscy93b3JrYm9vay54bWwucmVsc1BLAQIUAxQAAAAIAI+gdl0l/DaNggAAALkAAAAUAAAAAAAAAAAAAACAAZYB
        AAB4bC9zaGFyZWRTdHJpbmdzLnhtbFBLAQIUAxQAAAAIAI+gdl2x7fhutQAAAFEBAAANAAAAAAAAAAAAAACAAUoCAAB4bC9zdHlsZXMueG1s
        UEsBAhQDFAAAAAgAj6B2XbOCa/gUAQAAFwIAABgAAAAAAAAAAAAAAIABKgMAAHhsL3dvcmtzaGVldHMvc2hlZXQxLnhtbFBLAQIUAxQAAAAI
        AI+gdl0Ke2r/VwAAAGUAAAAYAAAAAAAAAAAAAACAAXQEAAB4bC93b3Jrc2hlZXRzL3NoZWV0Mi54bWxQSwUGAAAAAAYABgCOAQAAAQUAAAAA
        """
}
