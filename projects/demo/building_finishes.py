"""SO 01, the residential building: insulation, joinery, floors, paints (PSV)."""

from __future__ import annotations

from .sheet import ObjectSheet, czech


def add_finishes(sheet: ObjectSheet) -> None:
    sheet.group("PSV", "Práce a dodávky PSV")
    _waterproofing(sheet)
    _insulation(sheet)
    _roof(sheet)
    _drywall(sheet)
    _joinery(sheet)
    _metalwork(sheet)
    _floors(sheet)
    _paints(sheet)


def _waterproofing(s: ObjectSheet) -> None:
    s.section("711", "Izolace proti vodě, vlhkosti a plynům")
    plan = "24,60*13,80"
    s.work("711111001", "Penetrace podkladu asfaltovým lakem za studena, plochy vodorovné", "m2", "21.40", plan)
    s.material("11163150", "lak asfaltový penetrační", "t", "61200.00", f"{plan}*0,0003")
    belt = s.work("711141559", "Izolace přitavením asfaltového pásu, plochy vodorovné", "m2", "127.00", plan)
    s.material("62853004", "pás asfaltový modifikovaný SBS s vložkou ze skelné tkaniny, tloušťka 4 mm", "m2", "184.00",
               f"{czech(belt)}*1,165")  # fmt: skip
    s.work("711493111", "Stěrka hydroizolační v koupelnách, dvě vrstvy", "m2", "516.00", "12*(4,60+2*(2,10+2,20)*2,00)")
    s.work("998711103", "Přesun hmot pro izolace proti vodě, objekty výšky do 60 m", "t", "1028.00", "3,842")


def _insulation(s: ObjectSheet) -> None:
    s.section("713", "Izolace tepelné")
    floor = s.work("713121111", "Montáž tepelné izolace podlah jednovrstvé", "m2", "54.30", "12*66,20", "4*24,60*1,80")
    s.material("28375926", "deska podlahová z pěnového polystyrenu EPS 150, tloušťka 100 mm", "m2", "252.00",
               f"{czech(floor)}*1,05")  # fmt: skip
    roof = s.work(
        "713141151", "Montáž tepelné izolace plochých střech volně kladené, jedna vrstva", "m2", "48.10", "24,00*13,20"
    )
    s.material("28376143", "klín spádový z pěnového polystyrenu EPS 150, spád do 5 %", "m3", "3180.00",
               f"{czech(roof)}*0,18*1,05")  # fmt: skip
    s.work("713191132", "Separační fólie mezi tepelnou izolací a potěrem", "m2", "18.70", czech(floor))
    s.work("998713103", "Přesun hmot pro tepelné izolace, objekty výšky do 24 m", "t", "986.00", "4,617")


def _roof(s: ObjectSheet) -> None:
    s.section("712", "Povlakové krytiny")
    foil = s.work("712361701", "Krytina plochých střech z fólie volně položené, přitížené", "m2", "142.00",
                  "24,00*13,20", '"atika" 2*(24,00+13,20)*0,55')  # fmt: skip
    s.material(
        "28322012",
        "fólie hydroizolační střešní z měkčeného PVC, tloušťka 1,8 mm",
        "m2",
        "318.00",
        f"{czech(foil)}*1,15",
    )
    s.work("712391171", "Podkladní textilie pod střešní fólii", "m2", "36.20", czech(foil))
    s.work("998712103", "Přesun hmot pro povlakové krytiny, objekty výšky do 24 m", "t", "1245.00", "2,184")


def _drywall(s: ObjectSheet) -> None:
    s.section("763", "Konstrukce suché výstavby")
    s.work("763131411", "Podhled sádrokartonový na dvouúrovňový kovový rošt, deska 12,5 mm", "m2", "963.00", "12*6,20")
    s.work(
        "763121411",
        "Předstěna sádrokartonová instalační, deska 12,5 mm do vlhka",
        "m2",
        "1074.00",
        "12*(1,20+0,90)*2,40",
    )
    s.work("763164531", "Obklad svislých rozvodů sádrokartonem ve tvaru L", "m", "1380.00", "12*2,65*2")
    s.work("998763303", "Přesun hmot pro sádrokartonové konstrukce, objekty výšky do 24 m", "t", "1410.00", "2,966")


def _joinery(s: ObjectSheet) -> None:
    s.section("766", "Konstrukce truhlářské")
    s.work(
        "766622132", "Montáž plastových oken plochy přes 1 m2, včetně těsnicích pásek", "m2", "1138.00", "48*1,50*1,50"
    )
    s.material("61140054", "okno plastové otevíravé a sklápěcí, trojsklo, 1500 x 1500 mm", "kus", "13840.00", "48")
    s.work("766660001", "Montáž vnitřních dveřních křídel šířky do 800 mm do ocelové zárubně", "kus", "742.00", "60")
    s.material("61162085", "dveře vnitřní plné, povrch laminátový CPL, 800 x 1970 mm", "kus", "3360.00", "60")
    s.work("766660022", "Montáž vstupních bytových dveří požárně odolných šířky přes 800 mm", "kus", "1264.00", "12")
    s.material(
        "61165339", "dveře vstupní bytové EI 30 DP3, bezpečnostní kování, 900 x 1970 mm", "kus", "16480.00", "12"
    )
    s.work("766694116", "Montáž parapetních desek šířky do 300 mm", "m", "286.00", "48*1,50")
    s.material("61144402", "parapet vnitřní komůrkový plastový, šířka 305 mm", "m", "397.00", "48*1,50*1,05")
    s.work("998766103", "Přesun hmot pro konstrukce truhlářské, objekty výšky do 24 m", "t", "1216.00", "5,938")


def _metalwork(s: ObjectSheet) -> None:
    s.section("767", "Konstrukce zámečnické")
    s.work(
        "767161111",
        "Montáž zábradlí rovného z profilové oceli do zdi",
        "m",
        "684.00",
        '"schodiště" 3*2*3,10',
        '"balkony" 12*4,20',
    )
    s.material("55342281", "zábradlí ocelové žárově zinkované se svislou výplní, výška 1000 mm", "m", "4920.00",
               "3*2*3,10+12*4,20")  # fmt: skip
    s.work("767640111", "Montáž vchodových dveří ocelových jednokřídlových", "kus", "4370.00", "2")
    s.material("55341183", "dveře vchodové hliníkové prosklené s nadsvětlíkem, 1800 x 2300 mm", "kus", "68900.00", "2")
    s.work("998767103", "Přesun hmot pro zámečnické konstrukce, objekty výšky do 24 m", "t", "1738.00", "3,214")


def _floors(s: ObjectSheet) -> None:
    s.section("771", "Podlahy z dlaždic")
    tiles = s.work("771574113", "Montáž podlah z keramických dlaždic lepených, do 12 kusů na m2", "m2", "684.00",
                   "12*(4,60+5,80)", '"chodby" 4*24,60*1,80')  # fmt: skip
    s.material(
        "59761434", "dlažba keramická slinutá protiskluzná, formát 300 x 300 mm", "m2", "476.00", f"{czech(tiles)}*1,10"
    )
    s.work("998771103", "Přesun hmot pro podlahy z dlaždic, objekty výšky do 24 m", "t", "868.00", "8,417")
    s.section("776", "Podlahy povlakové")
    vinyl = s.work(
        "776231111", "Lepení lamel a čtverců z vinylu na vyrovnaný podklad", "m2", "268.00", "12*(66,20-10,40)"
    )
    s.material(
        "28411051", "dílce vinylové, nášlapná vrstva 0,55 mm, třída zátěže 33", "m2", "648.00", f"{czech(vinyl)}*1,10"
    )
    s.work("776421111", "Lepení obvodových soklíků", "m", "76.40", "12*(2*(8,40+6,65)-5*0,80)")
    s.material("28411009", "lišta soklová z PVC, 18 x 80 mm", "m", "58.30", "12*(2*(8,40+6,65)-5*0,80)*1,02")
    s.work("998776103", "Přesun hmot pro povlakové podlahy, objekty výšky do 24 m", "t", "1114.00", "3,077")
    s.section("781", "Dokončovací práce – obklady")
    walls = s.work("781474115", "Montáž keramických obkladů vnitřních lepených, do 25 kusů na m2", "m2", "762.00",
                   "12*(2*(2,10+2,20)*2,00-0,80*2,00)")  # fmt: skip
    s.material("59761026", "obklad keramický hladký, formát 200 x 250 mm", "m2", "388.00", f"{czech(walls)}*1,10")
    s.work("998781103", "Přesun hmot pro keramické obklady, objekty výšky do 24 m", "t", "902.00", "5,266")


def _paints(s: ObjectSheet) -> None:
    s.section("784", "Dokončovací práce – malby a tapety")
    area = ("12*2*(8,40+3,60+11,20)*2,65", "12*(72,40-6,20)", "4*2*(24,60+1,80)*2,65")
    s.work("784181101", "Penetrace podkladu pod malby, jednonásobná, výška do 3,8 m", "m2", "17.90", *area)
    s.work("784211101", "Malby bílé otěruvzdorné ze směsí za mokra, dvojnásobné, výška do 3,8 m", "m2", "58.20", *area)
