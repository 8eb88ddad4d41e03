"""Variant characters that simplified text does not use and that OpenCC does not convert, with their standard forms.

Source: 第一批异体字整理表 (1955), without

- characters that tables from 1956 to 通用规范汉字表 (2013) restored, even if only for names (喆 淼 堃 邨 甯 椀 筦 澂 勣
  菉 龢, 挫 於 黏 and others);
- characters that are a different word to people who write them: 嘅 噉 and 撚 in Cantonese, 槑, 傌 on a chessboard, 琍
  and 瓈 in names, 菑;
- characters of Japanese names and words: 咲 薙 櫂 姉 働.
"""

from __future__ import annotations

#: Groups of a form in simplified text and the variants that become it.
_OFFICIAL = (
    "暗晻 鞍鞌 岸㟁 坳㘭 鳌鼇 翱翺 霸覇 柏栢 稗粺 坂岅 帮幚幇 膀髈 榜牓 刨鉋鑤 褓緥 宝寳 褒襃 "
    "备俻 悖誖 杯桮 奔逩 逼偪 毙獘 秕粃 遍徧 膘臕 鳖鼈 瘪㿜 冰氷 并竝 钵盋 博愽 驳駮 睬倸 踩跴 "
    "惭慙 参㕘葠蓡 草艸 操撡 策筞 察詧 插揷 谄謟 尝甞 肠膓 场塲 扯撦 趁趂 乘乗椉 塍堘 翅翄 敕勅 "
    "仇讐 瞅矁 酬酧詶醻 锄鉏耡 厨㕑 船舩 创剏剙 窗窓窻牕牎 捶搥 棰箠 春旾 醇醕 蠢惷 淳湻 词䛐 辞辤 "
    "匆悤怱 粗觕麤 蹴蹵 篡簒 脆脃 悴顇 锉剉 玳瑇 啖啗 耽躭 挡攩 岛㠀 德悳 凳櫈 堤隄 抵觝 蒂蔕 "
    "蝶蜨 叠曡疉 喋啑 碇椗矴 兜兠 斗鬦鬪鬭 豆荳 睹覩 妒妬 敦㪟 遁遯 墩墪 朵朶 垛垜 跺跥 额頟 扼搤 "
    "萼蕚 峨峩 鹅鵞䳘 婀娿婐 厄阨戹 讹譌 恩㤙 尔尒 罚罸 筏栰 法灋㳒 繁緐 翻飜繙 凡凢 帆㠶颿 仿倣髣 "
    "痱疿 废癈 氛雰 蜂蠭 俯俛 佛髴 妇媍 附坿 麸粰䴸 戛戞 嘎嘠 丐匄匃 概槩 赣贑灨 扛摃 肛疘 "
    "皋皐臯 槁槀 糕餻 稿稾 胳肐 歌謌 耕畊 粳稉秔粇 鲠骾 躬躳 构搆 鼓皷 挂罣 怪恠 罐鑵 规槼 瑰瓌 "
    "果菓 函圅 悍猂 焊釬銲 嗥嘷獋 皓皜暠 盍盇 和咊 哄閧 呼嘑謼 话䛡 花芲蘤 獾貛 欢懽讙 恍怳 晃㨪 "
    "蛔蛕蚘痐蜖 辉煇 回廻逥 徽幑 魂䰟 昏昬 祸旤 羁覊 楫檝 期朞 赍賷 夹裌 笺牋椾 剑劒 鉴鍳 缄椷 "
    "碱鹻堿 茧蠒 侥儌 叫呌 剿勦 秸稭 阶堦 劫刼刧刦 捷㨗 斤觔 阱穽 胫踁 炯烱 迥逈 韭韮 救捄 纠糺 "
    "揪揫 厩廐 局跼 据㨿 举擧 狷獧 眷睠 倦勌 橛橜 俊㑺 浚濬 刊栞 瞰矙 侃偘 坎埳 糠穅 炕匟 考攷 "
    "咳欬 克尅 肯肎 坑阬 寇宼㓂 叩敂 裤袴 款欵 矿鑛 馈餽 愧媿 窥闚 昆崐 阔濶 辣辢 腊臈 赖頼 懒嬾 "
    "婪惏 螂蜋 琅瑯 历歴 莅涖 犁犂 梨棃 隶隷 藜蔾 荔茘 廉亷㢘 镰䥥 奁匳匲籢 敛歛 麟麐 吝恡 "
    "邻隣 淋痳 磷燐粦 菱蔆 留㽞畱 琉瑠璢 瘤癅 柳栁桺 弄衖挵 橹艪㯭艣樐 碌磟 戮剹 炉鑪 略畧 仑崘 "
    "裸躶臝 骡驘 麻蔴 蟆蟇 脉衇䘑 虻蝱 冒冐 帽㡌 卯夘戼 梅楳 觅覔 绵緜 妙玅 咩哶 泯冺 冥㝠 馍饝 "
    "谟謩 幕幙 亩畮畆畂 拿㧱拏挐 奶嬭 乃廼 楠枏柟 闹閙 嫩嫰 霓蜺 拟儗 年秊 袅嬝褭 啮囓 捏揑 涅湼 "
    "孽孼 宁寕寗 农辳 衄衂䶊 暖煖㬉煗 糯穤稬 炮礮砲 胚肧 碰掽踫 毗毘 匹疋 飘飃 凭凴 瓶缾 迫廹 戚慽 "
    "启唘 棋碁 憩憇 铅鈆 愆諐 强彊 襁繦 樯艢 羌羗 枪鎗 憔顦癄 跷蹻 峭陗 荞荍 锹鍫 惬㥦 寝寑 勤懃 "
    "琴琹 揿搇 丘坵 秋秌龝 球毬 驱駈敺 券劵 榷搉 却㕁 裙帬裠 冉冄 髯髥 韧靱靭 饪餁 衽袵 妊姙 冗宂 "
    "绒羢毧 融螎 蠕蝡 软輭 蕊蕋橤蘂 睿叡 箬篛 飒䬃 腮顋 伞繖 散㪚 桑桒 涩澁濇 鳝鱓 膳饍 膻羴 筲䈰 "
    "蛇虵 射䠶 深㴱 剩賸 实寔 时旹 视眡眎 柿柹 倏倐 庶庻 漱潄 疏疎 薯藷 饲飤 祀禩 俟竢 似佀 宿㝛 "
    "诉愬 苏蘓 锁鎻 塔墖 拓搨 袒襢 趟䟖 糖餹 掏搯 绦縚 藤籐 剃鬀 啼嗁 蹄蹏 眺覜 筒筩 峒峝 偷媮 "
    "兔兎 腿骽 颓穨 臀臋 驮䭾 驼駞 拖拕 蛙鼃 袜韈韤 浣澣 碗盌㼝 亡亾 望朢 往徃 罔㒺 喂餧 吻脗 "
    "蚊螡蟁 瓮罋 污汚 坞隖 忤啎 嘻譆 晰晳 熙熈 戏戯 膝䣛 狭陿 衔衘啣 仙僊 鲜尠鱻尟 涎㳄 享亯 饷饟 "
    "效効傚 胁脇 邪衺 蟹蠏 燮爕 绁絏 鞋鞵 携㩗擕㩦 胸胷 叙敍 勖勗 恤䘏賉 婿壻 喧諠 楦楥 萱萲蕿蘐藼 "
    "靴鞾 徇狥 巡廵 鸦鵶 丫枒 雁鴈 验騐 胭臙 燕鷰 岩巗嵒 艳豓 宴醼讌 扬敭 淆殽 耀燿 咬齩 拗抝 "
    "窑窰 夭殀 野埜壄 夜亱 烨爗 翳瞖 咿吚 移迻 以㕥㠯 因囙 殷慇 饮㱃 淫婬滛 喑瘖 堙陻 阴隂 吟唫 "
    "姻婣 罂甖 颖頴 映暎 莺鸎 恿慂惥 雍雝 寓庽 愈瘉 郁鬰欝 冤寃 猿猨蝯 杂襍 匝帀 灾烖 咱喒偺倃 "
    "赞賛 簪簮 葬塟 唣唕 糟蹧 札剳 闸牐 扎紥 寨砦 斋亝 盏琖醆 毡氊 崭嶃 暂蹔 獐麞 照炤 浙淛 辄輙 "
    "谪讁 慑慴 鸩酖 砧碪 珍珎 侦遉 卮巵 帙袟袠 址阯 置寘 只秖 纸帋 稚穉稺 侄妷姪 咒呪 帚箒 煮煑 "
    "箸筯 伫竚 砖甎塼 撰譔 馔籑 斫斲斵斮 桌槕 鬃騌騣鬉 棕椶 卒䘚 纂篹 钻鑚 最㝡冣 罪辠 樽罇 它牠 "
    "昵暱 眯瞇 背揹 榨搾 捂摀 彷徬 焰燄 妆粧"
)

#: Variants that the table lacks: those of Taiwan and Hong Kong (廸 in names, 衞 in all text from Hong Kong, 讃 for 讚),
#: and printed forms that input methods of other countries write in Chinese text (靑 for 青, 吿 for 告).
_OTHERS = (
    "迪廸 兹玆 卫衞 裴裵 掸撢 麻痲 赞讃 粽糭 躲躱 听聼 羹羮 盖葢 解觧 宾賔 饼餠 准凖 出岀 炮礟 铁銕鐡 蜷踡 锁鏁 "
    "莽莾 鬓鬂髩 贤贒 德惪 彝彞 岁嵗 戏戱 揽擥 焰熖 貌皃 奇竒 联聨 节莭 质貭 疏踈 体躰 职軄 逃迯 达逹 釜釡 面靣 "
    "餐飡 饰餙 粗麁 饮飮 颐頥 拼拚 扇搧 酸痠 铺舖 "
    "青靑 清淸 值値 告吿 慎愼 填塡 颠顚 尚尙 俞兪 喻喩 研硏 并倂 屏屛 瓶甁 妍姸 郎郞 乡鄕 镇鎭 高髙 市巿"
)

#: Variant -> form in simplified text.
VARIANTS = {variant: group[0] for group in f"{_OFFICIAL} {_OTHERS}".split() for variant in group[1:]}

#: Variants that are also a different word, a surname, a name or slang (曹叡, 王濬, 栞, 我艸).
_NAMES = "佀拏挐鉏叡煇珎璢廼銕悳惪炤栞濬鑪枏柟嵒艸"

#: Variants that are only mistakes in simplified text, so they are converted there too. Characters that Japan still uses
#: in words and names, those of the first level of JIS X 0208 (氷 戯 碁), are left out; but 水菓 and 糖菓 are Chinese.
ANYWHERE = frozenset(
    variant for variant in VARIANTS if not b"" < variant.encode("cp932", "ignore") < b"\x98\x9f"
).difference(_NAMES) | {"菓"}
