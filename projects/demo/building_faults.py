"""What is wrong with the demo's building: the manifest. Each fault names the rule that must find it, and where."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

from ..parsers.writers.kros_rows import ItemRow, KrosRow
from .building import BILL, sound_building
from .faults import Fault, added, changed, measured, removed, repeated, section_states, unmeasured, with_faults
from .sheet import PRICE_SYSTEM

HOUSE, PIPES, PAVING, SITE = "SO 01", "SO 02", "SO 03", "VRN"

VALIDATOR = (
    Fault("V01", PIPES, "722220111", "The description is a placeholder that was never filled in.",
          (changed(PIPES, "722220111", description="N1"),)),
    Fault("V02", HOUSE, "953943211", "The unit of measure got lost.", (changed(HOUSE, "953943211", unit=""),)),
    Fault("V03", PIPES, "725822611", "A typing error in the unit: soubpr for soubor.",
          (changed(PIPES, "725822611", unit="soubpr"),)),
    Fault("V04", PAVING, "894812201", "Nobody counted the inspection chambers.",
          (unmeasured(PAVING, "894812201", None),)),
    Fault("V05", PIPES, "721273153", "The vent caps are priced, their number is 0.",
          (unmeasured(PIPES, "721273153", D(0)),)),
    Fault("V06", HOUSE, "952901111", "A minus sign before the measured area.",
          (measured(HOUSE, "952901111", "-4*24,00*13,20"),)),
    Fault("V07", HOUSE, "622531022", "Two digits changed places in the total: 534 for 354.",
          (changed(HOUSE, "622531022", total=D("534115.65")),)),
    Fault("V09", HOUSE, "611321141", "The quantity is an older one than the measure sheet.",
          (changed(HOUSE, "611321141", quantity=D("1091.520")),)),
    Fault("V10", HOUSE, "317168054", "The same lintels were measured twice.", (repeated(HOUSE, "317168054"),)),
    Fault("V11", HOUSE, "612131121", "The priming of corridor walls stands apart from that of the flats.",
          (added(HOUSE, "612131121", ItemRow("612131121", "Penetrace stěn chodeb před omítáním", "m2",
                                             D("559.680"), D("38.40"), price_system=PRICE_SYSTEM)),)),
    Fault("V12", PAVING, "174151101", "Backfill by the square metre, while the building has it by the cubic metre.",
          (added(PAVING, "171201221", ItemRow("174151101", "Zpětný zásyp rýhy přípojky se zhutněním", "m2", D("13.500"),
                                              D("173.00"), price_system=PRICE_SYSTEM)),)),
)  # fmt: skip

COST = (
    Fault("C01", HOUSE, "766694116", "The window boards are not priced.",
          (changed(HOUSE, "766694116", unit_price=D(0)),)),
    Fault("C02", PAVING, "121151123", "Topsoil costs two thirds more here than at the building.",
          (added(PAVING, "171201221", ItemRow("121151123", "Sejmutí ornice strojně, vrstva do 200 mm", "m2",
                                              D("209.000"), D("68.40"), price_system=PRICE_SYSTEM)),)),
    Fault("C03", HOUSE, "998766103", "A decimal point slipped: ten times the usual price for moving joinery.",
          (changed(HOUSE, "998766103", unit_price=D("12160.00")),)),
    Fault("C05", SITE, "R030001", "A zero too many in the monthly cost of the site.",
          (changed(SITE, "R030001", unit_price=D("416000.00")),)),
    Fault("C06", SITE, "R050001", "A large lump sum that nobody broke down.",
          (added(SITE, "R040001", ItemRow("R050001", "Ostatní náklady zhotovitele", "soubor", D(1), D("1684500"))),)),
    Fault("C07", SITE, "012203000", "A round estimate on a catalogue code.",
          (changed(SITE, "012203000", unit_price=D("35000.00")),)),
    Fault("C08", HOUSE, "44932114", "A reduced VAT rate that was abolished two years before.",
          (changed(HOUSE, "44932114", vat="snížená"),)),
    Fault("C10", HOUSE, "", "One price was taken from a catalogue two years older.",
          (changed(HOUSE, "763164531", price_system="CS ÚRS 2024 02"),)),
)  # fmt: skip

STRUCTURE = (
    Fault("S01", HOUSE, "413321414", "The beams have no reinforcement.", (removed(HOUSE, "413361821"),)),
    Fault("S02", HOUSE, "330361821", "A quarter of the steel that columns need.",
          (measured(HOUSE, "330361821", "10,780*0,062"),)),
    Fault("S03", HOUSE, "273361821", "Three elements with one and the same steel ratio: assumed, not measured.",
          (measured(HOUSE, "273361821", "67,896*0,095"), measured(HOUSE, "274361821", "44,370*0,095"),
           measured(HOUSE, "417361821", "22,680*0,095"))),
    Fault("S04", HOUSE, "411351011", "The slab formwork of one storey is never struck.",
          (measured(HOUSE, "411351012", "3*(24,60*13,80-(5,40*2,60+1,90*2,10))"),)),
    Fault("S05", HOUSE, "417351115", "Ring beam formwork was measured on both sides twice.",
          (measured(HOUSE, "417351115", "4*2*(24,60+13,20)*0,25*4"),
           measured(HOUSE, "417351116", "4*2*(24,60+13,20)*0,25*4"))),
    Fault("S06", HOUSE, "28411051", "Vinyl for six tenths of the floors that are to be covered.",
          (measured(HOUSE, "28411051", "669,600*0,60"),)),
    Fault("S08", PAVING, "122251101", "A third of the dug soil goes nowhere.",
          (measured(PAVING, "171251202", "57,00"), measured(PAVING, "171201221", "57,00*1,75"))),
)  # fmt: skip

CONCRETE_AND_SUMS = (
    Fault("B01", HOUSE, "330321411", "A strength class that EN 206 does not know.",
          (changed(HOUSE, "330321411", description="Sloupy a pilíře z betonu železového C 30/35 XC1"),)),
    Fault("B02", HOUSE, "417321414", "The exposure class is incomplete.",
          (changed(HOUSE, "417321414", description="Ztužující věnce z betonu železového C 25/30 XC"),)),
    Fault("B03", HOUSE, "274321511", "Concrete too weak for wet and dry cycles in the ground.",
          (changed(HOUSE, "274321511", description="Základové pasy z betonu železového C 20/25 XC4"),)),
    Fault("B04", HOUSE, "411321515", "The slabs name no exposure class.",
          (changed(HOUSE, "411321515", description="Stropní desky z betonu železového C 25/30"),)),
    Fault("N01", HOUSE, "784211.B", "A code that the named catalogue can't have.",
          (changed(HOUSE, "784211101", code="784211.B"),)),
    Fault("N03", PAVING, "", "The paved areas have no line for moving material on site.",
          (removed(PAVING, "998223011"),)),
    # Last, since it is about the sum of what the faults above have changed.
    Fault("V08", HOUSE, "", "The sum of the floor coverings was typed over.",
          (section_states(HOUSE, "776", D("25000.00")),)),
    # The measure sheet asks for less steel, the structural rule for more: two roles contradict each other.
    Fault("O01", HOUSE, "330361821", "Measured and structurally needed steel point in opposite directions.",
          (changed(HOUSE, "330361821", quantity=D("0.701")),)),
)  # fmt: skip

BUILDING_FAULTS = (*VALIDATOR, *COST, *STRUCTURE, *CONCRETE_AND_SUMS)

# Part of C08: the recapitulation still carries the reduced rate of 15 %.
FAULTY_BILL = replace(BILL, vat_percent=(D(21), D(15)))


def faulty_building() -> list[KrosRow]:
    """The building with every fault of the manifest put in."""
    return with_faults(sound_building(), BUILDING_FAULTS)
