"""What CPV codes are about, in a few words of our own: all divisions, and construction in more detail.

The vocabulary (Regulation (EC) No 213/2008) has 9,454 codes; a code that is not listed here is named after the nearest
one above it that is.
"""

from __future__ import annotations

DIVISIONS = {
    "03": "Farming, forestry and fishing products",
    "09": "Fuel, electricity and other energy",
    "14": "Mining products and basic metals",
    "15": "Food, drink and tobacco",
    "16": "Farm machinery",
    "18": "Clothing and footwear",
    "19": "Leather, textiles, plastics and rubber",
    "22": "Printed matter",
    "24": "Chemicals",
    "30": "Computers and office machines",
    "31": "Electrical equipment and lighting",
    "32": "Radio, television and telecommunication equipment",
    "33": "Medical equipment and medicines",
    "34": "Vehicles and transport equipment",
    "35": "Security, fire-fighting and defence equipment",
    "37": "Instruments, sports goods, toys and art materials",
    "38": "Laboratory, optical and precision equipment",
    "39": "Furniture, furnishings and cleaning products",
    "41": "Water",
    "42": "Industrial machinery",
    "43": "Mining and construction machinery",
    "44": "Construction materials and structures",
    "45": "Construction work",
    "48": "Software packages",
    "50": "Repair and maintenance",
    "51": "Installation of equipment",
    "55": "Hotels, restaurants and retail",
    "60": "Transport services",
    "63": "Support of transport, travel agencies",
    "64": "Post and telecommunications",
    "65": "Public utilities",
    "66": "Finance and insurance",
    "70": "Real estate",
    "71": "Architecture, engineering and inspection",
    "72": "IT services",
    "73": "Research and development",
    "75": "Public administration and defence",
    "76": "Oil and gas services",
    "77": "Farming, forestry and gardening services",
    "79": "Business services: law, marketing, consulting, printing",
    "80": "Education and training",
    "85": "Health and social work",
    "90": "Sewage, refuse, cleaning and environment",
    "92": "Recreation, culture and sport",
    "98": "Other community and personal services",
}
# Prefix, without trailing zeros: what it is about.
BELOW = {
    "451": "Site preparation",
    "4511": "Demolition and earthworks",
    "45111": "Demolition and site clearance",
    "45112": "Excavation and earthmoving",
    "4512": "Test drilling and boring",
    "452": "Building and civil engineering works",
    "4521": "Building construction",
    "45211": "Housing",
    "45212": "Buildings for sport, culture, lodging and restaurants",
    "45213": "Commercial and industrial buildings",
    "45214": "Schools and research buildings",
    "45215": "Health and social buildings",
    "45216": "Buildings of police, courts, rescue and the military",
    "4522": "Engineering structures",
    "45221": "Bridges and tunnels",
    "45222": "Engineering works other than bridges and tunnels",
    "45223": "Structural works",
    "4523": "Roads, railways, airfields, pipelines and lines",
    "45231": "Pipelines, communication and power lines",
    "45232": "Ancillary works for pipelines and cables",
    "45233": "Roads and highways",
    "4523322": "Road surfaces",
    "45234": "Railways and cableways",
    "45235": "Airfields and runways",
    "45236": "Surfacing of sports grounds and yards",
    "4524": "Water projects",
    "45241": "Harbours",
    "45244": "Marine works",
    "45246": "River regulation and flood control",
    "45247": "Dams, canals and aqueducts",
    "4525": "Plants, mining and manufacturing works",
    "45251": "Power and heating plants",
    "45252": "Sewage, water and refuse plants",
    "4526": "Roofs and special trades",
    "45261": "Roof frames and coverings",
    "45262": "Special trades: concrete, steel, masonry, scaffolding",
    "453": "Building installations",
    "4531": "Electrical installations",
    "45313": "Lifts and escalators",
    "45316": "Lighting and signalling",
    "4532": "Insulation",
    "4533": "Plumbing, heating and ventilation",
    "45331": "Heating, ventilation and air conditioning",
    "45332": "Plumbing and drains",
    "45333": "Gas fitting",
    "4534": "Fencing, railings and safety equipment",
    "4535": "Mechanical installations",
    "454": "Building completion",
    "4541": "Plastering",
    "4542": "Joinery and carpentry",
    "4543": "Floors and wall coverings",
    "4544": "Painting and glazing",
    "45443": "Facades",
    "4545": "Other completion: decoration, refurbishment",
    "45453": "Overhaul and refurbishment",
    "455": "Hire of construction machinery with operator",
    "712": "Architecture",
    "713": "Engineering services",
    "714": "Town planning and landscape architecture",
    "715": "Construction management and supervision",
    "716": "Testing, analysis and consultancy",
}
LONGEST = 8


def name_of(code: str) -> str:
    """ "Road surfaces" for 45233220; "" for what is in no division."""
    for length in range(LONGEST, 2, -1):
        found = BELOW.get(code[:length]) if len(code) >= length else None
        if found:
            return found
    return DIVISIONS.get(code[:2], "")


def choices() -> list[tuple[str, str]]:
    """Every code that has a name here, as far as it goes ("45", "4523"), with that name, in the vocabulary's order."""
    return sorted((DIVISIONS | BELOW).items())
