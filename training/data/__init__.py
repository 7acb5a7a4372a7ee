"""Loading ratings into one columnar table, and splitting it into training and test rows."""
