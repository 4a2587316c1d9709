"""Programs that do with the peers' libraries what SheetSync does."""
