//go:build ignore

// This program writes common.txt, the list of passwords that everybody tries first.
//
// The list is made and not copied: from words that head every published list of leaked passwords (RockYou,
// the yearly lists of SplashData and NordPass, NCSC's list of 2019), written down from general knowledge, and
// from the ways in which such lists show people lengthening them to please a policy: a year, a run of digits, an
// exclamation mark, the word twice, two words in a row, letters replaced by digits. So each entry is likely,
// and the list as a whole is no ranking of any leak. Entries have 8 to 64 characters, in lower case. To add
// one, add it here and run `go generate`.
package main

import (
	"log"
	"os"
	"slices"
	"strings"
	"unicode"
)

// words are the bases of most of what is chosen.
var words = strings.Fields(`
password passwort passw0rd p@ssw0rd p@ssword pa$$word pa55word pass passwd contrasena senha motdepasse parola haslo
welcome welcome1 admin administrator adminadmin root toor user username login signin guest test tester testing
default changeme letmein iloveyou loveyou lovely love loveme forever secret private mysecret master access qwerty
qwertz azerty asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qweasd qweasdzxc 1q2w3e4r 1q2w3e 1qaz2wsx abc123 abcd
abcdef abcdefg abcdefgh a1b2c3d4 aa123456 abcd1234 monkey dragon shadow sunshine princess football baseball
basketball soccer hockey superman batman spiderman ironman pokemon pikachu starwars startrek matrix ninja killer
hunter ranger mustang corvette ferrari porsche mercedes toyota yamaha harley freedom whatever trustno1 hello
helloworld computer internet laptop samsung iphone android google facebook instagram twitter youtube linkedin
microsoft windows apple yahoo hotmail gmail amazon netflix spotify minecraft fortnite roblox cheese pepper cookie
chocolate banana orange cherry strawberry ginger peanut butter coffee summer winter spring autumn monday friday
sunday january february march april june july august september october november december michael michelle jessica
jennifer ashley amanda daniel andrew joshua matthew robert william thomas charlie george jordan justin anthony
nicole samantha elizabeth stephanie victoria veronica alexander alexandra benjamin jonathan nicholas christopher
patrick richard charles maria martin martina carlos antonio francisco alejandro andrea angela angel angels buster
maggie bailey tigger snoopy garfield mickey minnie barbie butterfly flower rainbow diamond silver golden purple
yellow orange1 green black white blue liverpool chelsea arsenal manchester barcelona realmadrid juventus steelers
cowboys yankees lakers chicago london paris berlin america canada england germany france mexico brazil australia
newyork california texas florida dallas family friends friend mother father mommy daddy babygirl baby sweet
sweetie honey darling beautiful pretty happy smile lucky blessed jesus christ jesuschrist godisgood bible heaven
church amazing awesome perfect wonderful money dollar casino winner champion eagle falcon phoenix tiger lion
panther wolf bear horse dolphin turtle kitten kitty puppy doggie music guitar piano metallica slipknot nirvana
eminem beatles elvis rockstar rocknroll gandalf frodo merlin wizard naruto sasuke goku cheyenne thunder lightning
storm blizzard diablo warcraft counter strike gamer player master1 company office business service support manager
security server database oracle system network cisco public demo sample temp temporary student teacher school
college university hospital doctor nurse police army marine navy airforce soldier captain general creative
liberty justice independence enter open sesame opensesame access14 hacker hacked biteme fuckyou asshole sexy
`)

// phrases are long enough as they are, and are chosen as they are.
var phrases = strings.Fields(`
correcthorsebatterystaple thisismypassword thisisapassword mypasswordis mypassword ihatepasswords iforgotmypassword
iforgot forgotpassword nopassword nopasswordforyou newpassword oldpassword passwordpassword passwordispassword
iloveyousomuch iloveyouforever iloveyoubaby iloveyoumom iloveyoudad iloveyouall iloveyoutoo iloveme ilovemyself ilovejesus
ilovegod ilovemyfamily ilovemymom ilovemydog ilovemycat ilovemusic ilovemoney iloveschool ihateyou ihateschool
letmeinnow letmeinplease letmein letmeinside openthedoor opensesame whatsmypassword whatismypassword dontforget
donotenter changemenow changeme changethis changeit pleasechangeme changeonfirstlogin firstlogin
welcomehome welcometohell welcomeback supersecret topsecret supersecretpassword verysecret secretpassword secretsecret
administrator administrador administrateur superuser superadmin systemadmin sysadmin rootroot rootpassword
adminpassword adminadmin testtest testtesttest testpassword testuser testing123 demouser demopassword guestguest
useruser userpassword defaultpassword masterpassword masterkey qwertyqwerty qwertyuiop qwertyuiopasdf
qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm asdfasdf asdfasdfasdf asdfghjklqwertyuiop zxcvbnmasdfghjkl zxcvzxcv
abcdefghijkl abcdefghijklm abcdefghijklmnop abcdefghijklmnopqrstuvwxyz zyxwvutsrqponmlkjihgfedcba aabbccdd aabbccddeeff
aaaabbbb abcabcabc abcdabcd abcd12345678 abc123abc123 abc123def456 abcd1234efgh 123abc123abc 123qweasdzxc
123qweasd qwe123asd qweqweqwe qweasdzxc123 qazwsxedc qazwsxedcrfv qazwsxedcrfvtgb qazxswedc qazqazqaz wsxedcrfv
1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qaz2wsx3edc4rfv5tgb 1qazxsw2 1qazxsw23edc zaq12wsx zaq1xsw2 zaq1zaq1 zaq12wsxcde3
!qaz2wsx !qaz@wsx !qaz1qaz !qaz2wsx3edc 1qaz@wsx 1qaz!qaz 1qaz2wsx! 1q2w3e4r5t 1q2w3e4r5t6y 1q2w3e4r5t6y7u
1q2w3e4r5t6y7u8i 1q2w3e4r5t6y7u8i9o 1q2w3e4r5t6y7u8i9o0p q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 q1w2e3r4t5y6u7i8 q2w3e4r5
qwer1234 1234qwer 12345qwert qwert12345 qwerty123456 123456qwerty asdf1234 1234asdf zxcv1234 1234zxcv asdfqwer
asdf1234qwer qwerasdf qwerasdfzxcv 1234qwerasdf 1234qwerasdfzxcv 1234567890qwertyuiop qwertyuiop1234567890
azertyuiop azertyuiopqsdfghjklm qsdfghjklm wxcvbn qwertzuiop qwertzuiopasdf yxcvbnm poiuytrewq lkjhgfdsa mnbvcxz
mnbvcxzlkjhgfdsa poiuytrewqlkjhgfdsamnbvcxz 0987654321 09876543210 9876543210 987654321 87654321 12345678 123456789
1234567890 12345678910 123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 12345678901234567890
0123456789 01234567890 012345678901 123123123 123123123123 112233445566 11223344 1122334455 111222333 111222333444
123321123 123321123321 123454321 12344321 1234554321 123456654321 1234567887654321 12341234 123412341234 1234512345
123451234512345 123456123456 123456789123456789 135792468 1357924680 147258369 147258369147 159357159357 159753456
159951159951 789456123 7894561230 741852963 963852741 321654987 456789123 31415926 314159265 3141592653 31415926535
314159265358 3141592653589 27182818 271828182845 16180339 1618033988 11111111 111111111 1111111111 11111111111
111111111111 00000000 000000000000 22222222 55555555 66666666 77777777 88888888 99999999 999999999999 888888888888
666666666666 777777777777 121212121212 12121212 13131313 69696969 10101010 101010101010 20202020 420420420 007007007
00700700 147147147 159159159 123654789 1236987450 12369874 147852369 741258963 aaaaaaaa aaaaaaaaaaaa aaaaaaaaaaaaaaa
xxxxxxxx xxxxxxxxxxxx zzzzzzzz qqqqqqqq asdasdasd asdasdasdasd qweqweqweqwe zxczxczxc jjjjjjjj
trustnoone trustnobody trustmeiamadoctor maytheforcebewithyou lukeiamyourfather iamyourfather darthvader
lukeskywalker hansolo chewbacca princessleia millenniumfalcon deathstar stormtrooper obiwankenobi harrypotter
hermionegranger ronweasley dumbledore hogwarts gryffindor slytherin voldemort expelliarmus lordoftherings
gandalfthegrey bilbobaggins frodobaggins samwisegamgee mordor sauron onering youshallnotpass winteriscoming jonsnow
gameofthrones valarmorghulis khaleesi breakingbad heisenberg walterwhite strangerthings thewalkingdead
supermario mariobros supermariobros nintendo playstation playstation4 playstation5 xboxone xbox360 gamecube callofduty
worldofwarcraft leagueoflegends counterstrike grandtheftauto finalfantasy legendofzelda sonicthehedgehog
teamfortress halflife dota2dota2 angrybirds candycrush assassinscreed
manchesterunited manchestercity realmadrid1 fcbarcelona bayernmunich bayernmuenchen borussiadortmund acmilan
intermilan liverpoolfc chelseafc arsenalfc tottenham evertonfc celticfc rangersfc ajaxamsterdam galatasaray fenerbahce
besiktas bocajuniors riverplate flamengo corinthians palmeiras dallascowboys newyorkyankees bostonredsox
chicagobulls losangeleslakers goldenstate greenbaypackers pittsburghsteelers newenglandpatriots sanfrancisco49ers
michaeljordan kobebryant lebronjames stephencurry cristianoronaldo cristiano7 lionelmessi messi10messi ronaldo7
michaeljackson elvispresley justinbieber onedirection taylorswift britneyspears ladygaga linkinpark greenday ironmaiden
ledzeppelin pinkfloyd blacksabbath gunsnroses gunsandroses rollingstones davidbowie bobmarley bobdylan johnlennon
johnlenon thebeatles letitbe heyjude imagine stairwaytoheaven bohemianrhapsody hotelcalifornia avengedsevenfold
godisgreat godislove godbless godblessyou godblessamerica inthenameofgod jesuslovesme jesusislord jesussaves
jesuschrist praisegod praisethelord amazinggrace hallelujah holyspirit alhamdulillah bismillah inshallah mashallah
allahuakbar muhammad hareskrishna harekrishna omnamahshivaya jaishreeram ganesha saibaba
unitedstates unitedkingdom newyorkcity losangeles sanfrancisco lasvegas washington philadelphia northcarolina
southcarolina newjersey newzealand southafrica hongkong singapore indonesia malaysia philippines pakistan
bangladesh argentina colombia venezuela deutschland oesterreich schweiz frankreich espana portugal
stayhungrystayfoolish carpediem hakunamatata tobeornottobe cogitoergosum lifeisgood lifeisbeautiful livelaughlove
liveyourlife neversaynever nevergiveup neverforget nothingelsematters onlygodcanjudgeme onelove onelife peaceandlove
peacelove loveislove loveandpeace loveyourself loveyouforever foreverandever foreveryoung together happyday happybirthday
merrychristmas happynewyear goodmorning goodnight goodluck goodbye sunnyday summertime wintertime springtime
teamo teamomucho teamoforever teamomiamor miamor miamorcito teextrano tequiero tequieromucho contrasena
contraseña miclave clave123 secreto segredo minhasenha senha123 senha12345 password1234 motdepasse jetaime jetaimetrop
doudou soleil loulou chouchou bonjour bonjour1 marseille azerty123 azertyui nicolas1 passwort1 passwort123 hallo123
hallohallo schatzi schatz ichliebedich liebling fussball sommer2024 winter2024 geheim123 geheimnis hallowelt
wachtwoord welkom01 welkom123 losenord adgangskode salasana passord1 heslo123 jelszo123 parola123 haslo123 sifre123
privet123 parol123 qwerty12345 ytrewq123 zxcvbnm123 marina123 natasha123 woaini1314 woaini520 5201314520 aini1314
a123456789 a12345678 a1234567890 aa12345678 aa123456789 q123456789 z123456789 asd123456 asd123456789 qwe123456
qwe123456789 zxc123456 zxc123456789 abc12345678 abc123456789 abc1234567890 abcd123456 abcd123456789 123456789a
1234567890a 123456789abc 123456789q 123456789z 123456abc 123456abcd 12345abc 12345abcde 1234abcd 12345678a 12345678q
1a2b3c4d 1a2b3c4d5e 1a2b3c4d5e6f a1b2c3d4e5 a1b2c3d4e5f6 a1s2d3f4 a1s2d3f4g5 p4ssw0rd p455w0rd pa55w0rd passw0rd1
p@55w0rd p@$$w0rd p@$$word pa$$w0rd p@ssw0rd1 p@ssw0rd! p@ssw0rd12 p@ssw0rd123 p@ssw0rd1234 p@ssw0rd12345
p@ssw0rd123456 p@ssw0rd2024 p@ssword1 p@ssword123 p@ssword1234 passw0rd123 passw0rd1234 passw0rd12345 adm1n1strator
@dmin123 @dmin1234 adm1n123 adm!n123 admin@123 admin@1234 admin@12345 admin@123456 root@123 root@1234 test@123
test@1234 user@123 user@1234 welcome@1 welcome@12 welcome@123 welcome@1234 welcome@2023 welcome@2024 welcome@2025
password@1 password@12 password@123 password@1234 password@12345 pass@123 pass@1234 pass@12345 pass@word1 india@123
abc@1234 abcd@1234 qwerty@123 hello@123 hello@1234 company@123 letmein@123 changeme@123 secret@123 master@123
l3tm3in123 w3lc0me123 welc0me1 welc0me123 w3lcome1 s3cr3t123 s3cretpassword secr3t123 ch4ngeme ch@ngeme ch@ngeme123
iloveu123 iloveyou2 1loveyou iluvyou iluvyou2 ilovey0u il0vey0u il0veyou loveyou2 loveyou3000 iloveyou3000
`)

// runs are what people put behind a word.
var runs = strings.Fields(`1 12 123 1234 12345 123456 12345678 123456789 1234567890 321 654321 111 007 69 99 000 666 777 1! 123! 1234! ! !! @1 @123 @1234
123abc abc123 123123`)

var years = strings.Fields(`2018 2019 2020 2021 2022 2023 2024 2025 2026`)

func main() {
	set := map[string]bool{}
	add := func(s string) {
		if n := len([]rune(s)); 8 <= n && n <= 64 {
			set[strings.ToLower(s)] = true
		}
	}
	for _, w := range words {
		add(w)
		add(w + w)
		if len(w) >= 8 && !strings.ContainsFunc(w, notLetter) {
			continue // Policy.Check takes what is around a word off and looks again
		}
		for _, r := range runs {
			add(w + r)
		}
		for _, r := range runs[:7] {
			add(r + w)
		}
		for _, y := range years {
			add(w + y)
			add(w + y + "!")
			add(w + "@" + y)
		}
	}
	for _, p := range phrases {
		add(p)
		if strings.ContainsFunc(p, notLetter) {
			add(p + "1")
			add(p + "123")
			add(p + "!")
		}
	}
	// Two words in a row, of those that are most often seen doing that.
	first := strings.Fields(`password welcome admin administrator letmein iloveyou secret master super mega my the hello test qwerty login user love big hot cool sexy crazy`)
	second := strings.Fields(`password welcome admin letmein secret master login user test qwerty hello monkey dragon princess football sunshine superman batman angel baby girl boy man love life dog cat mama papa mom dad`)
	for _, a := range first {
		for _, b := range second {
			add(a + b)
		}
	}
	// Words with spaces between, now that policies allow them.
	for _, p := range []string{
		"correct horse battery staple", "password password", "my password", "this is my password", "let me in please",
		"i love you so much", "i love you forever", "open sesame", "to be or not to be", "the quick brown fox",
		"the quick brown fox jumps over the lazy dog", "may the force be with you", "once upon a time", "happy birthday to you",
		"hello world", "i am your father", "winter is coming", "live long and prosper", "never gonna give you up",
		"all you need is love", "stairway to heaven", "in god we trust", "jesus loves me", "god bless america",
	} {
		for _, sep := range []string{" ", "-", "_", ".", ""} {
			add(strings.ReplaceAll(p, " ", sep))
		}
	}
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	if err := os.WriteFile("common.txt", []byte(strings.Join(list, "\n")+"\n"), 0o644); err != nil {
		log.Fatal(err)
	}
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }
