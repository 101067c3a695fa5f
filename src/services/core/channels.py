"""The names of the channels: those of GA4's default channel group, in the order of its rules."""

CHANNELS = (
    *("Cross-network", "Paid Shopping", "Paid Search", "Paid Social", "Paid Video", "Display"),
    *("Paid Other", "AI Assistant", "Organic Shopping", "Organic Social", "Organic Video"),
    *("Organic Search", "Email", "Affiliates", "Referral", "Audio", "SMS", "Mobile Push", "Direct"),
)
UNASSIGNED = "Unassigned"
